import { describe, expect, it } from 'vitest';
import { mapModules } from '#burnish/checkpoint/architectures/modules.js';
import { interpretHfConfig } from '#burnish/checkpoint/hf-config.js';
import { planQuantization, type QuantizationPlan } from '#burnish/optimizer/quantization/plan.js';
import { describeScheme } from '#burnish/optimizer/quantization/scheme.js';
import { parseQuantizationSettings } from '#burnish/optimizer/settings/quantization-settings.js';
import { header } from '../../checkpoint/synthetic.js';

type Shapes = Readonly<Record<string, readonly number[]>>;

const block = (prefix: string, hidden: number, intermediate: number): Shapes => ({
  [`${prefix}.self_attn.q_proj.weight`]: [hidden, hidden],
  [`${prefix}.self_attn.k_proj.weight`]: [hidden / 2, hidden],
  [`${prefix}.self_attn.v_proj.weight`]: [hidden / 2, hidden],
  [`${prefix}.self_attn.o_proj.weight`]: [hidden, hidden],
  [`${prefix}.mlp.gate_proj.weight`]: [intermediate, hidden],
  [`${prefix}.mlp.up_proj.weight`]: [intermediate, hidden],
  [`${prefix}.mlp.down_proj.weight`]: [hidden, intermediate],
});
const HEAD: Shapes = { 'lm_head.weight': [512, 256], 'model.embed_tokens.weight': [512, 256] };
const LLAMA = { model_type: 'llama' };

function plan(
  shapes: Shapes,
  options: Readonly<Record<string, string>> = {},
  config: object = LLAMA,
): QuantizationPlan {
  const tensors = header(shapes);
  return planQuantization(
    mapModules(interpretHfConfig('', config as never), tensors),
    parseQuantizationSettings({ OPTION_QUANTIZE: 'rtn', ...options }),
  );
}

const ignoring = (list: string) => ({ OPTION_RTN_IGNORE_LAYERS: list });
const schemes = ({ layers }: QuantizationPlan) =>
  Object.fromEntries(layers.map(({ module, scheme }) => [module, describeScheme(scheme, false)]));
const reasonOf = ({ kept }: QuantizationPlan, module: string) =>
  kept.find((other) => other.module === module)?.reason;

describe('planQuantization', () => {
  it('quantizes the blocks’ layers, in the order a reader counts', () => {
    const made = plan({
      ...HEAD,
      ...block('model.layers.10', 256, 512),
      ...block('model.layers.2', 256, 512),
    });
    expect(made.layers).toHaveLength(14);
    expect(made.layers[0]?.module).toBe('model.layers.2.mlp.down_proj');
    expect(new Set(Object.values(schemes(made)))).toEqual(new Set(['int4, groups of 128']));
    expect(reasonOf(made, 'lm_head')).toContain('OPTION_RTN_IGNORE_LAYERS by default names it');
    expect(reasonOf(made, 'model.embed_tokens')).toContain('embeddings');
    expect(made.notes).toEqual([]);
  });

  it('gives odd widths a group size of their own and says so', () => {
    const made = plan(block('model.layers.0', 256, 192));
    expect(schemes(made)).toMatchObject({
      'model.layers.0.mlp.down_proj': 'int4, groups of 64',
      'model.layers.0.mlp.up_proj': 'int4, groups of 128',
    });
    expect(made.notes).toEqual([
      'int4, groups of 64 for 1 layer model.layers.0.mlp.down_proj: the group size 128 does not divide the width of every layer that shares the scheme (192).',
    ]);
  });

  it('gives all experts of a block one scheme, by the width that fits least', () => {
    const expert = (index: number): Shapes => ({
      [`model.layers.0.mlp.experts.${index}.gate_proj.weight`]: [96, 256],
      [`model.layers.0.mlp.experts.${index}.up_proj.weight`]: [96, 256],
      [`model.layers.0.mlp.experts.${index}.down_proj.weight`]: [256, 96],
    });
    const made = plan({ ...expert(0), ...expert(1) }, {}, { model_type: 'qwen3_moe' });
    expect(new Set(Object.values(schemes(made)))).toEqual(new Set(['int4, groups of 32']));
    expect(made.notes[0]).toContain('(96, 256)');
  });

  it('leaves a whole family alone if one of it does not fit', () => {
    const made = plan({
      ...block('model.layers.0', 256, 512),
      'model.layers.0.self_attn.v_proj.weight': [128, 252],
    });
    expect(schemes(made)).not.toHaveProperty(['model.layers.0.self_attn.q_proj']);
    expect(reasonOf(made, 'model.layers.0.self_attn.q_proj')).toContain('its width 252');
  });

  it.each(['I32', 'F8_E4M3', 'F64'] as const)('leaves %s weights alone', (dtype) => {
    const shapes = block('model.layers.0', 256, 512);
    const tensors = header(shapes).map((tensor) =>
      tensor.name.includes('k_proj') ? { ...tensor, dtype } : tensor,
    );
    const made = planQuantization(
      mapModules(interpretHfConfig('', LLAMA as never), tensors),
      parseQuantizationSettings({ OPTION_QUANTIZE: 'int8' }),
    );
    expect(reasonOf(made, 'model.layers.0.self_attn.q_proj')).toContain(`holds ${dtype}`);
    expect(made.layers).toHaveLength(4);
  });

  describe('with an ignore list', () => {
    const shapes = {
      ...HEAD,
      ...block('model.layers.0', 256, 512),
      ...block('model.layers.1', 256, 512),
    };

    it('widens it to what engines fuse, and says so', () => {
      const made = plan(shapes, ignoring('lm_head,model.layers.0.self_attn.k_proj'));
      expect(made.layers).toHaveLength(11);
      expect(reasonOf(made, 'model.layers.0.self_attn.q_proj')).toContain('fused with');
      expect(made.notes).toEqual([
        expect.stringContaining(
          'names model.layers.0.self_attn.k_proj, which serving engines fuse with model.layers.0.self_attn.q_proj, model.layers.0.self_attn.v_proj',
        ),
      ]);
    });

    it('takes last parts and expressions', () => {
      expect(plan(shapes, ignoring('lm_head,down_proj')).layers).toHaveLength(12);
      expect(plan(shapes, ignoring('lm_head,re:.*layers\\.1\\.')).layers).toHaveLength(7);
    });

    it('quantizes the output layer where the list leaves it out', () => {
      const made = plan(shapes, ignoring('down_proj'));
      expect(made.layers.find(({ module }) => module === 'lm_head')?.layer).toBeUndefined();
      expect(schemes(made)).toHaveProperty('lm_head', 'int4, groups of 128');
    });

    it('refuses to quantize an output layer that is tied', () => {
      const config = { ...LLAMA, tie_word_embeddings: true };
      expect(() => plan(shapes, ignoring('down_proj'), config)).toThrow(
        'OPTION_RTN_IGNORE_LAYERS does not name lm_head',
      );
      expect(() => plan(block('model.layers.0', 256, 512), ignoring('down_proj'))).toThrow(
        'add lm_head to the list',
      );
      expect(plan(shapes, {}, config).layers).toHaveLength(14);
    });

    it.each([
      [
        'lm_head,dwn_proj',
        'names dwn_proj, which is no module of this model; did you mean down_proj?',
      ],
      ['lm_head,re:.*layers\\.7\\.', 'names re:.*layers\\.7\\., which is no module'],
    ])('refuses %s', (list, message) => {
      expect(() => plan(shapes, ignoring(list))).toThrow(message);
    });

    it('refuses one that leaves nothing', () => {
      expect(() => plan(shapes, ignoring('lm_head,re:.*'))).toThrow('no layer can be quantized');
    });
  });

  it('never quantizes routers', () => {
    const made = plan(
      {
        ...block('model.layers.0', 256, 512),
        'model.layers.0.mlp.gate.weight': [8, 256],
      },
      {},
      { model_type: 'qwen3_moe' },
    );
    expect(reasonOf(made, 'model.layers.0.mlp.gate')).toContain('routers');
  });

  it('refuses a model without linear layers', () => {
    expect(() => plan(HEAD)).toThrow('has no linear layer that can be quantized');
  });
});
