import { describe, expect, it } from 'vitest';
import { mapModules } from '#burnish/checkpoint/architectures/modules.js';
import { interpretHfConfig } from '#burnish/checkpoint/hf-config.js';
import { layerTensors, quantizationConfig } from '#burnish/optimizer/formats/compressed-tensors.js';
import { planQuantization, type QuantizationPlan } from '#burnish/optimizer/quantization/plan.js';
import { parseQuantizationSettings } from '#burnish/optimizer/settings/quantization-settings.js';
import { header } from '../../checkpoint/synthetic.js';

type Shapes = Readonly<Record<string, readonly number[]>>;

interface Config {
  readonly config_groups: Readonly<Record<string, Group>>;
  readonly format: string;
  readonly ignore: readonly string[];
}
interface Group {
  readonly targets: readonly string[];
  readonly weights: Readonly<Record<string, unknown>>;
  readonly input_activations: Readonly<Record<string, unknown>> | null;
}

function made(
  shapes: Shapes,
  environment: Readonly<Record<string, string>>,
  model: object = { model_type: 'llama' },
): { readonly plan: QuantizationPlan; readonly config: Config } {
  const read = interpretHfConfig('', model as never);
  const plan = planQuantization(
    mapModules(read, header(shapes)),
    parseQuantizationSettings(environment),
  );
  return { plan, config: quantizationConfig(plan, read.multimodal) as unknown as Config };
}

const attention = (prefix: string, hidden: number): Shapes => ({
  [`${prefix}.self_attn.q_proj.weight`]: [hidden, hidden],
  [`${prefix}.self_attn.k_proj.weight`]: [hidden, hidden],
  [`${prefix}.self_attn.v_proj.weight`]: [hidden, hidden],
  [`${prefix}.self_attn.o_proj.weight`]: [hidden, hidden],
});
const gated = (prefix: string, hidden: number, intermediate: number): Shapes => ({
  [`${prefix}.gate_proj.weight`]: [intermediate, hidden],
  [`${prefix}.up_proj.weight`]: [intermediate, hidden],
  [`${prefix}.down_proj.weight`]: [hidden, intermediate],
});
const RTN = { OPTION_QUANTIZE: 'rtn' };
const FP8 = { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' };

/** As Python's `re.match` and vLLM's and compressed-tensors' matching of names do. */
function matches(name: string, target: string): boolean {
  return target.startsWith('re:')
    ? new RegExp(`^(?:${target.slice(3)})`).test(name)
    : target === name;
}
const groupsOf = (config: Config, name: string) =>
  Object.values(config.config_groups).filter(({ targets }) =>
    targets.some((target) => matches(name, target)),
  );
const isIgnored = (config: Config, name: string) =>
  config.ignore.some((entry) => matches(name, entry));

describe('layerTensors', () => {
  it.each([
    ['fp8', FP8, ['weight F8_E4M3 16,32', 'weight_scale BF16 16,1']],
    ['int8', { OPTION_QUANTIZE: 'int8' }, ['weight I8 16,32', 'weight_scale BF16 16,1']],
    [
      'int4 in groups',
      { ...RTN, OPTION_RTN_BLOCK_SIZE: '32' },
      ['weight_packed I32 16,4', 'weight_scale BF16 16,1', 'weight_shape I64 2'],
    ],
    [
      'int8 with zero points',
      {
        ...RTN,
        OPTION_RTN_BLOCK_SIZE: '-1',
        OPTION_RTN_WEIGHT_BIT_WIDTH: '8',
        OPTION_RTN_ZERO_POINT: 'true',
      },
      [
        'weight_packed I32 16,8',
        'weight_scale BF16 16,1',
        'weight_zero_point I32 4,1',
        'weight_shape I64 2',
      ],
    ],
  ])('names and shapes those of %s as compressed-tensors does', (_, environment, expected) => {
    const { plan } = made({ 'model.layers.0.mlp.down_proj.weight': [16, 32] }, environment);
    const [layer] = plan.layers;
    if (layer === undefined) throw new Error('nothing was planned');
    const { codes, scales, zeroPoints, shape } = layerTensors(layer);
    const tensors = [
      codes,
      scales,
      ...(zeroPoints ? [zeroPoints] : []),
      ...(shape ? [shape.tensor] : []),
    ];
    expect(tensors.map(({ name, dtype, shape: sizes }) => `${name} ${dtype} ${sizes}`)).toEqual(
      expected.map((text) => `model.layers.0.mlp.down_proj.${text}`),
    );
    if (shape !== undefined) {
      const view = new BigInt64Array(Uint8Array.from(shape.data).buffer);
      expect([...view]).toEqual([16n, 32n]);
    }
  });
});

describe('quantizationConfig', () => {
  const shapes = {
    ...attention('model.layers.0', 256),
    ...gated('model.layers.0.mlp', 256, 512),
    'lm_head.weight': [64, 256],
    'model.embed_tokens.weight': [64, 256],
  };

  it('targets the class Linear where all layers share a scheme', () => {
    const { config } = made(shapes, RTN);
    expect(config).toEqual({
      config_groups: {
        group_0: {
          targets: ['Linear'],
          weights: {
            actorder: null,
            block_structure: null,
            dynamic: false,
            group_size: 128,
            num_bits: 4,
            observer: 'minmax',
            observer_kwargs: {},
            strategy: 'group',
            symmetric: true,
            type: 'int',
          },
          input_activations: null,
          output_activations: null,
        },
      },
      format: 'pack-quantized',
      global_compression_ratio: null,
      ignore: ['lm_head'],
      kv_cache_scheme: null,
      quant_method: 'compressed-tensors',
      quantization_status: 'compressed',
    });
  });

  it.each([
    [FP8, 'float-quantized', 'float'],
    [{ OPTION_QUANTIZE: 'int8' }, 'int-quantized', 'int'],
  ])('describes dynamic activations of %j', (environment, format, type) => {
    const { config } = made(shapes, environment);
    expect(config.format).toBe(format);
    expect(config.config_groups.group_0).toMatchObject({
      weights: { num_bits: 8, type, strategy: 'channel', group_size: null, symmetric: true },
      input_activations: { num_bits: 8, type, strategy: 'token', dynamic: true, symmetric: true },
    });
  });

  it('names an output layer that is quantized, since no engine calls it Linear', () => {
    const { config } = made(shapes, { ...RTN, OPTION_RTN_IGNORE_LAYERS: 'o_proj' });
    expect(config.ignore).toEqual(['model.layers.0.self_attn.o_proj']);
    expect(config.config_groups.group_0?.targets).toEqual(['Linear', 're:(?:.*\\.)?lm_head$']);
  });

  it('ignores the output layer even where it is tied and has no tensor', () => {
    const { config } = made(gated('model.layers.0.mlp', 256, 512), RTN);
    expect(config.ignore).toEqual(['lm_head']);
  });

  describe('with several schemes', () => {
    it('tells layers apart by names, their own and those they are fused into', () => {
      const { plan, config } = made(
        {
          ...attention('model.layers.0', 256),
          ...gated('model.layers.0.mlp', 256, 192),
          ...attention('model.layers.1', 256),
          ...gated('model.layers.1.mlp', 256, 512),
          ...attention('model.layers.11', 256),
          ...gated('model.layers.11.mlp', 256, 192),
        },
        RTN,
      );
      expect(Object.keys(config.config_groups)).toEqual(['group_0', 'group_1']);
      for (const { module, scheme } of plan.layers) {
        const groups = groupsOf(config, module);
        expect(groups, module).toHaveLength(1);
        expect(groups[0]?.weights.group_size).toBe(scheme.type === 'int' && scheme.groupSize);
        expect(groupsOf(config, module.replace(/^model/, 'model.language_model'))).toEqual(groups);
      }
      for (const fused of ['self_attn.qkv_proj', 'mlp.gate_up_proj']) {
        for (const index of [0, 1, 11]) {
          expect(groupsOf(config, `model.layers.${index}.${fused}`)).toHaveLength(1);
        }
      }
      const down = (index: number) =>
        groupsOf(config, `model.layers.${index}.mlp.down_proj`)[0]?.weights.group_size;
      expect([down(0), down(1), down(11)]).toEqual([64, 128, 64]);
      const targets = Object.values(config.config_groups).flatMap((group) => group.targets);
      expect(targets).not.toContain('Linear');
    });

    it('finds experts by the names that engines ask for, and ignores their routers', () => {
      const experts = [0, 1].flatMap((expert) =>
        ['w1', 'w2', 'w3'].map((name) => [
          `model.layers.0.block_sparse_moe.experts.${expert}.${name}.weight`,
          name === 'w2' ? [256, 192] : [192, 256],
        ]),
      );
      const { config } = made(
        {
          ...attention('model.layers.0', 256),
          ...Object.fromEntries(experts),
          'model.layers.0.block_sparse_moe.gate.weight': [2, 256],
        },
        RTN,
        { model_type: 'mixtral' },
      );
      const prefix = 'model.layers.0.block_sparse_moe';
      for (const name of ['w1', 'w2', 'w3', 'gate_proj', 'up_proj', 'down_proj']) {
        const groups = groupsOf(config, `${prefix}.experts.13.${name}`);
        expect(groups.map(({ weights }) => weights.group_size)).toEqual([64]);
      }
      expect(isIgnored(config, `${prefix}.gate`)).toBe(true);
      expect(isIgnored(config, `${prefix}.experts.0.gate_proj`)).toBe(false);
    });

    it('keeps the blocks of an encoder and a decoder apart', () => {
      const { plan, config } = made(
        { ...attention('encoder.layers.0', 192), ...attention('decoder.layers.0', 256) },
        RTN,
        { model_type: 'new_thing' },
      );
      for (const { module } of plan.layers) {
        expect(groupsOf(config, module), module).toHaveLength(1);
      }
    });
  });

  it('ignores the other parts of a multimodal model under whatever prefix a loader has them', () => {
    const { config } = made(
      {
        ...attention('language_model.model.layers.0', 256),
        ...gated('language_model.model.layers.0.mlp', 256, 12),
        ...attention('vision_tower.encoder.layers.0', 64),
      },
      RTN,
      { model_type: 'gemma3', text_config: { model_type: 'gemma3_text' } },
    );
    expect(isIgnored(config, 'model.vision_tower.encoder.layers.0.self_attn.q_proj')).toBe(true);
    expect(isIgnored(config, 'vision_tower.encoder.layers.0.self_attn.q_proj')).toBe(true);
    expect(isIgnored(config, 'model.language_model.layers.0.mlp.down_proj')).toBe(true);
    expect(isIgnored(config, 'model.language_model.layers.0.self_attn.q_proj')).toBe(false);
    expect(isIgnored(config, 'lm_head')).toBe(true);
  });
});
