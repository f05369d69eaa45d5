import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TensorInfo } from '#burnish/checkpoint/safetensors/reader.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Checkpoints for tests, written without the code under test. */

export interface SyntheticTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A safetensors file from a header as it is to be written, lies and all, and its data. */
export function safetensorsBytes(header: string, data: Uint8Array = new Uint8Array()): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

/** A correct safetensors file, its tensors in the order given. */
export function safetensorsFile(
  tensors: readonly SyntheticTensor[],
  metadata?: Readonly<Record<string, string>>,
): Buffer {
  let end = 0;
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  for (const { name, dtype, shape, data } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.length] };
    end += data.length;
  }
  return safetensorsBytes(JSON.stringify(header), Buffer.concat(tensors.map(({ data }) => data)));
}

export type FloatName = 'F32' | 'F16' | 'BF16';

/** Floating-point numbers as little-endian bytes; bf16 and f16 are cut off, not rounded. */
export function floatBytes(values: Float32Array, dtype: FloatName): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (dtype === 'F32') return new Uint8Array(bits.slice().buffer);
  const halves = Uint16Array.from(bits, (word) => (dtype === 'BF16' ? word >>> 16 : half(word)));
  return new Uint8Array(halves.buffer);
}

/** The f16 bits of a normal f32 within its range; smaller ones become zero. */
function half(word: number): number {
  const exponent = ((word >>> 23) & 0xff) - 127 + 15;
  if (exponent <= 0) return 0;
  return ((word >>> 16) & 0x8000) | (exponent << 10) | ((word >>> 13) & 0x3ff);
}

/** A weight of values around zero. */
export function randomTensor(
  name: string,
  shape: readonly number[],
  dtype: FloatName = 'BF16',
  random: () => number = seededRandom(name.length * 7919),
): SyntheticTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, () => (random() - 0.5) * 0.2);
  return { name, dtype, shape, data: floatBytes(values, dtype) };
}

export interface SyntheticModel {
  readonly config: object;
  readonly tensors: readonly SyntheticTensor[];
  /** How many files the tensors are dealt to; one without an index if not given. */
  readonly shards?: number;
  readonly otherFiles?: Readonly<Record<string, string>>;
}

/** Writes a checkpoint into a new folder. */
export async function writeModel(model: SyntheticModel): Promise<string> {
  const folder = temporaryFolder();
  await writeFile(join(folder, 'config.json'), JSON.stringify(model.config, null, 2));
  if (model.shards === undefined) {
    await writeFile(
      join(folder, 'model.safetensors'),
      safetensorsFile(model.tensors, { format: 'pt' }),
    );
  } else {
    await writeShards(folder, model.tensors, model.shards);
  }
  for (const [name, text] of Object.entries(model.otherFiles ?? {})) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function writeShards(
  folder: string,
  tensors: readonly SyntheticTensor[],
  count: number,
): Promise<void> {
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < count; shard += 1) {
    const name = `model-${String(shard + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;
    const dealt = tensors.filter((_, index) => index % count === shard);
    for (const tensor of dealt) weightMap[tensor.name] = name;
    await writeFile(join(folder, name), safetensorsFile(dealt, { format: 'pt' }));
  }
  const totalSize = tensors.reduce((sum, { data }) => sum + data.length, 0);
  await writeFile(
    join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size: totalSize, writer: 'test' }, weight_map: weightMap }),
  );
}

export interface LlamaSizes {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly dtype: FloatName;
  readonly tied: boolean;
}

/** Attention heads of the synthetic models; keys and values have half as many. */
const HEADS = 4;

/** A small model with the names and shapes of Llama's. */
export function llama(sizes: Partial<LlamaSizes> = {}): SyntheticModel {
  const { hidden, intermediate, layers, vocabulary, dtype, tied }: LlamaSizes = {
    hidden: 128,
    intermediate: 256,
    layers: 2,
    vocabulary: 64,
    dtype: 'BF16',
    tied: false,
    ...sizes,
  };
  const random = seededRandom(20_240_229);
  const tensor = (name: string, shape: readonly number[]) =>
    randomTensor(name, shape, dtype, random);
  const blocks = Array.from({ length: layers }, (_, layer) =>
    [
      tensor('self_attn.q_proj.weight', [hidden, hidden]),
      tensor('self_attn.k_proj.weight', [hidden / 2, hidden]),
      tensor('self_attn.v_proj.weight', [hidden / 2, hidden]),
      tensor('self_attn.o_proj.weight', [hidden, hidden]),
      tensor('mlp.gate_proj.weight', [intermediate, hidden]),
      tensor('mlp.up_proj.weight', [intermediate, hidden]),
      tensor('mlp.down_proj.weight', [hidden, intermediate]),
      tensor('input_layernorm.weight', [hidden]),
      tensor('post_attention_layernorm.weight', [hidden]),
    ].map((part) => ({ ...part, name: `model.layers.${layer}.${part.name}` })),
  );
  return {
    config: {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: hidden,
      intermediate_size: intermediate,
      num_hidden_layers: layers,
      num_attention_heads: HEADS,
      num_key_value_heads: HEADS / 2,
      tie_word_embeddings: tied,
      rms_norm_eps: 1e-5,
    },
    tensors: [
      tensor('model.embed_tokens.weight', [vocabulary, hidden]),
      ...blocks.flat(),
      tensor('model.norm.weight', [hidden]),
      ...(tied ? [] : [tensor('lm_head.weight', [vocabulary, hidden])]),
    ],
  };
}

/** Headers without any file behind them, for code that decides from names and shapes alone. */
export function header(
  shapes: Readonly<Record<string, readonly number[]>>,
  dtype: TensorInfo['dtype'] = 'BF16',
): readonly TensorInfo[] {
  return Object.entries(shapes).map(([name, shape]) => ({
    name,
    dtype,
    shape,
    file: 'model.safetensors',
    path: '/nowhere/model.safetensors',
    offset: 0,
    length: shape.reduce((product, size) => product * size, dtype === 'F32' ? 4 : 2),
  }));
}
