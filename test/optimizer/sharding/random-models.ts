import type { SyntheticTensor } from '../../checkpoint/synthetic.js';
import { hashedNumbers } from './support.js';

/** Small checkpoints of every architecture, their tensors named and shaped without the code under test. */

export interface ModelSizes {
  readonly hidden: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly width: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly experts: number;
  readonly tied: boolean;
}

export const MODEL_TYPES = [
  'llama',
  'mistral',
  'qwen2',
  'qwen3',
  'gemma2',
  'gemma3_text',
  'phi3',
  'mixtral',
  'qwen2_moe',
  'qwen3_moe',
] as const;
export type ModelType = (typeof MODEL_TYPES)[number];

/** A linear layer stored as it is, or in one of the quantized forms. */
export type StoredForm = (
  module: string,
  outputs: number,
  inputs: number,
) => readonly SyntheticTensor[];

export interface RandomModel {
  readonly type: ModelType;
  readonly sizes: ModelSizes;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly SyntheticTensor[];
}

const WIDTHS: Readonly<Partial<Record<ModelType, readonly string[]>>> = {
  qwen2_moe: ['moe_intermediate_size', 'shared_expert_intermediate_size'],
  qwen3_moe: ['moe_intermediate_size'],
};

export function randomModel(
  type: ModelType,
  sizes: ModelSizes,
  form: StoredForm = plain,
  quantization?: object,
): RandomModel {
  const { hidden, heads, keyValueHeads, headSize, width, layers, vocabulary, tied } = sizes;
  const config = {
    model_type: type,
    hidden_size: hidden,
    intermediate_size: width,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headSize,
    vocab_size: vocabulary,
    tie_word_embeddings: tied,
    ...Object.fromEntries((WIDTHS[type] ?? []).map((key) => [key, width])),
    ...(quantization === undefined ? {} : { quantization_config: quantization }),
  };
  const blocks = Array.from({ length: layers }, (_, layer) => {
    const name = `model.layers.${layer}`;
    return [
      ...attention(type, sizes, `${name}.self_attn`, form),
      ...feedForward(type, sizes, name, layer, form),
      ...normsOf(type).map((norm) => tensor(`${name}.${norm}.weight`, [hidden])),
    ];
  });
  return {
    type,
    sizes,
    config,
    tensors: [
      tensor('model.embed_tokens.weight', [vocabulary, hidden]),
      ...blocks.flat(),
      tensor('model.norm.weight', [hidden]),
      ...(tied ? [] : [tensor('lm_head.weight', [vocabulary, hidden])]),
    ],
  };
}

function normsOf(type: ModelType): readonly string[] {
  const norms = ['input_layernorm', 'post_attention_layernorm'];
  return type.startsWith('gemma')
    ? [...norms, 'pre_feedforward_layernorm', 'post_feedforward_layernorm']
    : norms;
}

function attention(
  type: ModelType,
  { hidden, heads, keyValueHeads, headSize }: ModelSizes,
  parent: string,
  form: StoredForm,
): readonly SyntheticTensor[] {
  const queries = heads * headSize;
  const keys = keyValueHeads * headSize;
  const headNorms = ['qwen3', 'qwen3_moe', 'gemma3_text'].includes(type)
    ? ['q_norm', 'k_norm'].map((norm) => tensor(`${parent}.${norm}.weight`, [headSize]))
    : [];
  const inputs =
    type === 'phi3'
      ? form(`${parent}.qkv_proj`, queries + 2 * keys, hidden)
      : [
          ...form(`${parent}.q_proj`, queries, hidden),
          ...form(`${parent}.k_proj`, keys, hidden),
          ...form(`${parent}.v_proj`, keys, hidden),
        ];
  const biases = type.startsWith('qwen2')
    ? [
        tensor(`${parent}.q_proj.bias`, [queries]),
        tensor(`${parent}.k_proj.bias`, [keys]),
        tensor(`${parent}.v_proj.bias`, [keys]),
      ]
    : [];
  return [...inputs, ...biases, ...headNorms, ...form(`${parent}.o_proj`, hidden, queries)];
}

function feedForward(
  type: ModelType,
  { hidden, width, experts }: ModelSizes,
  block: string,
  layer: number,
  form: StoredForm,
): readonly SyntheticTensor[] {
  const gated = (parent: string, [gate, up, down]: readonly [string, string, string]) => [
    ...form(`${parent}.${gate}`, width, hidden),
    ...form(`${parent}.${up}`, width, hidden),
    ...form(`${parent}.${down}`, hidden, width),
  ];
  const usual = ['gate_proj', 'up_proj', 'down_proj'] as const;
  const each = (parent: string, names: readonly [string, string, string]) =>
    Array.from({ length: experts }, (_, expert) => gated(`${parent}.${expert}`, names)).flat();
  if (type === 'phi3') {
    return [
      ...form(`${block}.mlp.gate_up_proj`, 2 * width, hidden),
      ...form(`${block}.mlp.down_proj`, hidden, width),
    ];
  }
  if (type === 'mixtral') {
    return [
      tensor(`${block}.block_sparse_moe.gate.weight`, [experts, hidden]),
      ...each(`${block}.block_sparse_moe.experts`, ['w1', 'w3', 'w2']),
    ];
  }
  // The first block of these has a plain network.
  if (!type.endsWith('_moe') || layer === 0) return gated(`${block}.mlp`, usual);
  const shared =
    type === 'qwen2_moe'
      ? [
          tensor(`${block}.mlp.shared_expert_gate.weight`, [1, hidden]),
          ...gated(`${block}.mlp.shared_expert`, usual),
        ]
      : [];
  return [
    tensor(`${block}.mlp.gate.weight`, [experts, hidden]),
    ...each(`${block}.mlp.experts`, usual),
    ...shared,
  ];
}

export function tensor(
  name: string,
  shape: readonly number[],
  dtype: 'BF16' | 'F32' | 'I32' | 'I64' | 'I8' | 'F8_E4M3' = 'BF16',
): SyntheticTensor {
  const bytes = { BF16: 2, F32: 4, I32: 4, I64: 8, I8: 1, F8_E4M3: 1 }[dtype];
  const count = shape.reduce((product, size) => product * size, 1) * bytes;
  return { name, dtype, shape, data: hashedNumbers(name, Math.ceil(count / 2)).slice(0, count) };
}

export const plain: StoredForm = (module, outputs, inputs) => [
  tensor(`${module}.weight`, [outputs, inputs]),
];

export const GROUP = 16;

/** The forms in which quantization leaves a linear layer, and what the configuration then says. */
export const QUANTIZED_FORMS: readonly {
  readonly name: string;
  readonly form: StoredForm;
  readonly config: object;
}[] = [
  {
    name: 'awq',
    form: (module, outputs, inputs) => [
      tensor(`${module}.qweight`, [inputs, outputs / 8], 'I32'),
      tensor(`${module}.qzeros`, [inputs / GROUP, outputs / 8], 'I32'),
      tensor(`${module}.scales`, [inputs / GROUP, outputs]),
    ],
    config: { quant_method: 'awq', bits: 4, group_size: GROUP, version: 'gemm' },
  },
  ...[false, true].map((order) => ({
    name: order ? 'gptq with activation order' : 'gptq',
    form: ((module, outputs, inputs) => [
      tensor(`${module}.qweight`, [inputs / 8, outputs], 'I32'),
      tensor(`${module}.qzeros`, [inputs / GROUP, outputs / 8], 'I32'),
      tensor(`${module}.scales`, [inputs / GROUP, outputs]),
      tensor(`${module}.g_idx`, [inputs], 'I32'),
    ]) satisfies StoredForm,
    config: { quant_method: 'gptq', bits: 4, group_size: GROUP, desc_act: order },
  })),
  {
    name: 'compressed-tensors, packed with zero points',
    form: (module, outputs, inputs) => [
      tensor(`${module}.weight_packed`, [outputs, inputs / 8], 'I32'),
      tensor(`${module}.weight_scale`, [outputs, inputs / GROUP]),
      tensor(`${module}.weight_zero_point`, [outputs / 8, inputs / GROUP], 'I32'),
      tensor(`${module}.weight_shape`, [2], 'I64'),
    ],
    config: { quant_method: 'compressed-tensors', format: 'pack-quantized' },
  },
  {
    name: 'compressed-tensors, int8 per channel',
    form: (module, outputs, inputs) => [
      tensor(`${module}.weight`, [outputs, inputs], 'I8'),
      tensor(`${module}.weight_scale`, [outputs, 1]),
    ],
    config: { quant_method: 'compressed-tensors', format: 'int-quantized' },
  },
  {
    name: 'compressed-tensors, static fp8 per tensor',
    form: (module, outputs, inputs) => [
      tensor(`${module}.weight`, [outputs, inputs], 'F8_E4M3'),
      tensor(`${module}.weight_scale`, [1], 'F32'),
      tensor(`${module}.input_scale`, [1], 'F32'),
    ],
    config: { quant_method: 'compressed-tensors', format: 'float-quantized' },
  },
];
