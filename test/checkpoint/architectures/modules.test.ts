import { describe, expect, it } from 'vitest';
import { type ModuleMap, mapModules } from '#burnish/checkpoint/architectures/modules.js';
import { interpretHfConfig } from '#burnish/checkpoint/hf-config.js';
import { header } from '../synthetic.js';

type Shapes = Readonly<Record<string, readonly number[]>>;

function map(config: object, shapes: Shapes): ModuleMap {
  return mapModules(interpretHfConfig('', config as never), header(shapes));
}

const linears = ({ linears: found }: ModuleMap) => found.map(({ module }) => module).sort();
const roleOf = ({ others }: ModuleMap, module: string) =>
  others.find((other) => other.module === module)?.role;

/** The families of more than one layer, by the last parts of their members' names. */
function families({ linears: found }: ModuleMap): readonly string[] {
  const byKey = new Map<string, string[]>();
  for (const { familyKey, place } of found) {
    byKey.set(familyKey, [...(byKey.get(familyKey) ?? []), place.member]);
  }
  return [...byKey.values()]
    .filter((members) => members.length > 1)
    .map((members) => members.sort().join(' + '));
}

const attention = (prefix: string): Shapes => ({
  [`${prefix}.self_attn.q_proj.weight`]: [8, 8],
  [`${prefix}.self_attn.k_proj.weight`]: [4, 8],
  [`${prefix}.self_attn.v_proj.weight`]: [4, 8],
  [`${prefix}.self_attn.o_proj.weight`]: [8, 8],
});
const gated = (prefix: string): Shapes => ({
  [`${prefix}.gate_proj.weight`]: [16, 8],
  [`${prefix}.up_proj.weight`]: [16, 8],
  [`${prefix}.down_proj.weight`]: [8, 16],
});
const outside: Shapes = {
  'model.embed_tokens.weight': [32, 8],
  'model.norm.weight': [8],
  'lm_head.weight': [32, 8],
};
const QKV = 'self_attn.k_proj + self_attn.q_proj + self_attn.v_proj';

describe('mapModules', () => {
  it.each(['llama', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3_text'])(
    'knows the layers of %s',
    (type) => {
      const found = map(
        { model_type: type },
        { ...outside, ...attention('model.layers.0'), ...gated('model.layers.0.mlp') },
      );
      expect(found.architecture).toBe(type === 'gemma3_text' ? 'gemma3' : type);
      expect(found.linears).toHaveLength(7);
      expect(families(found)).toEqual([QKV, 'mlp.gate_proj + mlp.up_proj']);
      expect(found.head?.module).toBe('lm_head');
      expect(roleOf(found, 'model.embed_tokens')).toBe('embedding');
    },
  );

  it('keeps blocks apart', () => {
    const found = map(
      { model_type: 'llama' },
      { ...attention('model.layers.0'), ...attention('model.layers.10') },
    );
    expect(families(found)).toEqual([QKV, QKV]);
    expect(found.linears.map(({ place }) => place.index)).toContain(10);
  });

  it('takes the fused layers of phi3 as they are', () => {
    const found = map(
      { model_type: 'phi3' },
      {
        'model.layers.0.self_attn.qkv_proj.weight': [16, 8],
        'model.layers.0.self_attn.o_proj.weight': [8, 8],
        'model.layers.0.mlp.gate_up_proj.weight': [32, 8],
        'model.layers.0.mlp.down_proj.weight': [8, 16],
      },
    );
    expect(found.linears).toHaveLength(4);
    expect(families(found)).toEqual([]);
  });

  it('puts all experts of a block of mixtral into one family, and leaves its router', () => {
    const expert = (index: number): Shapes => ({
      [`model.layers.0.block_sparse_moe.experts.${index}.w1.weight`]: [16, 8],
      [`model.layers.0.block_sparse_moe.experts.${index}.w2.weight`]: [8, 16],
      [`model.layers.0.block_sparse_moe.experts.${index}.w3.weight`]: [16, 8],
    });
    const found = map(
      { model_type: 'mixtral' },
      {
        ...attention('model.layers.0'),
        ...expert(0),
        ...expert(11),
        'model.layers.0.block_sparse_moe.gate.weight': [12, 8],
      },
    );
    expect(found.linears).toHaveLength(10);
    expect(families(found)).toContain(
      ['w1', 'w1', 'w2', 'w2', 'w3', 'w3']
        .map((name) => `block_sparse_moe.experts.{expert}.${name}`)
        .join(' + '),
    );
    expect(roleOf(found, 'model.layers.0.block_sparse_moe.gate')).toBe('router');
  });

  it('knows the experts, shared experts, routers and plain blocks of Qwen’s models', () => {
    const shapes = {
      ...gated('model.layers.0.mlp'),
      ...gated('model.layers.1.mlp.experts.0'),
      ...gated('model.layers.1.mlp.experts.1'),
      ...gated('model.layers.1.mlp.shared_expert'),
      'model.layers.1.mlp.gate.weight': [2, 8],
      'model.layers.1.mlp.shared_expert_gate.weight': [1, 8],
    };
    const found = map({ model_type: 'qwen2_moe' }, shapes);
    expect(found.linears).toHaveLength(12);
    expect(roleOf(found, 'model.layers.1.mlp.gate')).toBe('router');
    expect(roleOf(found, 'model.layers.1.mlp.shared_expert_gate')).toBe('router');
    expect(families(found)).toContain('mlp.shared_expert.gate_proj + mlp.shared_expert.up_proj');
    expect(families(found).filter((family) => family.includes('{expert}'))).toHaveLength(1);
    const third = map({ model_type: 'qwen3_moe' }, shapes);
    expect(roleOf(third, 'model.layers.1.mlp.gate')).toBe('router');
  });

  it('finds the language model inside a multimodal one and leaves the rest', () => {
    const found = map(
      { model_type: 'gemma3', text_config: { model_type: 'gemma3_text' } },
      {
        ...attention('language_model.model.layers.0'),
        ...attention('vision_tower.vision_model.encoder.layers.0'),
        'multi_modal_projector.proj.weight': [8, 8],
      },
    );
    expect(linears(found)).toHaveLength(4);
    expect(roleOf(found, 'vision_tower.vision_model.encoder.layers.0.self_attn.q_proj')).toBe(
      'foreign',
    );
    expect(roleOf(found, 'multi_modal_projector.proj')).toBe('foreign');
  });

  it('uses the language model’s own table entry where the whole has none', () => {
    const found = map(
      { model_type: 'llava', text_config: { model_type: 'mistral' } },
      attention('language_model.model.layers.0'),
    );
    expect(found.architecture).toBe('mistral');
  });

  it('leaves a module of a known model that its table does not name', () => {
    const found = map({ model_type: 'llama' }, { 'model.layers.0.extra.weight': [8, 8] });
    expect(roleOf(found, 'model.layers.0.extra')).toBe('other');
  });

  describe('for a model that no table describes', () => {
    const config = { model_type: 'new_thing' };

    it('takes two-dimensional weights in numbered blocks', () => {
      const found = map(config, {
        ...outside,
        ...attention('transformer.h.3'),
        'transformer.h.3.mlp.fc1.weight': [16, 8],
        'transformer.h.3.mlp.fc1.bias': [16],
        'transformer.h.3.ln_1.weight': [8],
        'transformer.wte.weight': [32, 8],
        'project_in.weight': [8, 8],
      });
      expect(found.architecture).toBeUndefined();
      expect(linears(found)).toEqual([
        'transformer.h.3.mlp.fc1',
        'transformer.h.3.self_attn.k_proj',
        'transformer.h.3.self_attn.o_proj',
        'transformer.h.3.self_attn.q_proj',
        'transformer.h.3.self_attn.v_proj',
      ]);
      expect(families(found)).toEqual([QKV]);
      expect(roleOf(found, 'transformer.wte')).toBe('embedding');
      expect(roleOf(found, 'project_in')).toBe('other');
    });

    it.each([
      ['mlp.gate', 'router'],
      ['feed_forward.router', 'router'],
      ['block_sparse_moe.router.layer', 'router'],
      ['mlp.shared_expert_gate', 'router'],
      ['ffn.wg', 'router'],
      ['attn.relative_attention_bias', 'other'],
      ['embed_positions', 'other'],
      ['mixer.conv1d', 'other'],
      ['q_norm', 'other'],
    ])('leaves %s alone', (member, role) => {
      const found = map(config, { [`model.layers.2.${member}.weight`]: [4, 8] });
      expect(found.linears).toEqual([]);
      expect(roleOf(found, `model.layers.2.${member}`)).toBe(role);
    });

    it.each(['mlp.gate_proj', 'attn.gate_up', 'mlp.w1', 'attention.query', 'mlp.navigate'])(
      'takes %s for a layer',
      (member) => {
        const found = map(config, { [`model.layers.2.${member}.weight`]: [4, 8] });
        expect(found.linears).toHaveLength(1);
      },
    );

    it('keeps the experts of a block in one family', () => {
      const found = map(config, {
        ...gated('model.layers.1.moe.experts.0'),
        ...gated('model.layers.1.moe.experts.1'),
      });
      expect(new Set(found.linears.map(({ familyKey }) => familyKey)).size).toBe(1);
    });

    it('refuses layers that are stored transposed', () => {
      expect(() => map(config, { 'h.0.attn.c_attn.weight': [8, 24] })).toThrow('Conv1D');
      expect(map(config, { 'h.0.attn.c_attn.weight': [24, 8] }).linears).toHaveLength(1);
    });
  });

  it.each(['gpt2', 'openai-gpt', 'imagegpt'])('refuses %s', (type) => {
    expect(() => map({ model_type: type }, {})).toThrow(
      `config.json: models of the type ${type} cannot be quantized`,
    );
  });

  it.each([
    ['says so', { model_type: 'llama', tie_word_embeddings: true }, outside, true],
    ['denies it', { model_type: 'gemma2', tie_word_embeddings: false }, outside, false],
    ['leaves it to llama', { model_type: 'llama' }, outside, false],
    ['leaves it to gemma2', { model_type: 'gemma2' }, outside, true],
    ['leaves it to an unknown model', { model_type: 'new_thing' }, outside, true],
    ['denies it but there is no such weight', { model_type: 'llama' }, {}, true],
  ])(
    'knows whether the output layer is tied where the configuration %s',
    (_, config, shapes, tied) => {
      expect(map(config, shapes).headIsTied).toBe(tied);
    },
  );
});
