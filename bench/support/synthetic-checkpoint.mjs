// Writes a Llama checkpoint of random bf16 weights, of about a given size, in one file.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The widths of a Llama of a billion weights. */
const SIZES = { hidden: 2048, intermediate: 5632, vocabulary: 32_000, keyValue: 512 };

const HEADS = 32;

const blockOf = ({ hidden, intermediate, keyValue }) => [
  ['input_layernorm.weight', [hidden]],
  ['self_attn.q_proj.weight', [hidden, hidden]],
  ['self_attn.k_proj.weight', [keyValue, hidden]],
  ['self_attn.v_proj.weight', [keyValue, hidden]],
  ['self_attn.o_proj.weight', [hidden, hidden]],
  ['post_attention_layernorm.weight', [hidden]],
  ['mlp.gate_proj.weight', [intermediate, hidden]],
  ['mlp.up_proj.weight', [intermediate, hidden]],
  ['mlp.down_proj.weight', [hidden, intermediate]],
];

const bytesOf = (shape) => 2 * shape.reduce((product, size) => product * size, 1);

/** @returns the path of the weights */
export function writeSyntheticCheckpoint(folder, aboutBytes, sizes = SIZES) {
  const { hidden, intermediate, vocabulary, keyValue } = sizes;
  mkdirSync(folder, { recursive: true });
  const block = blockOf(sizes);
  const blockBytes = block.reduce((sum, [, shape]) => sum + bytesOf(shape), 0);
  const outsideBytes = 2 * bytesOf([vocabulary, hidden]);
  const blocks = Math.max(1, Math.round((aboutBytes - outsideBytes) / blockBytes));
  const tensors = [['model.embed_tokens.weight', [vocabulary, hidden]]];
  for (let index = 0; index < blocks; index += 1) {
    for (const [name, shape] of block) tensors.push([`model.layers.${index}.${name}`, shape]);
  }
  tensors.push(['model.norm.weight', [hidden]], ['lm_head.weight', [vocabulary, hidden]]);
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: hidden,
      intermediate_size: intermediate,
      num_hidden_layers: blocks,
      num_attention_heads: HEADS,
      num_key_value_heads: keyValue / (hidden / HEADS),
      vocab_size: vocabulary,
      tie_word_embeddings: false,
      torch_dtype: 'bfloat16',
    }),
  );
  return writeWeights(join(folder, 'model.safetensors'), tensors);
}

function writeWeights(path, tensors) {
  const header = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, shape] of tensors) {
    header[name] = { dtype: 'BF16', shape, data_offsets: [offset, offset + bytesOf(shape)] };
    offset += bytesOf(shape);
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, 0x20);
  padded.writeBigUInt64LE(BigInt(padded.length - 8));
  text.copy(padded, 8);
  const file = openSync(path, 'w');
  writeSync(file, padded);
  const noise = gaussianNoise(4 * 1024 * 1024);
  for (let written = 0; written < offset; ) {
    const length = Math.min(noise.length, offset - written);
    written += writeSync(file, noise, 0, length);
  }
  closeSync(file);
  return path;
}

/** Bytes of bf16 numbers with the spread of trained weights, from a fixed seed. */
function gaussianNoise(count) {
  const floats = new Float32Array(count);
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 4294967297;
  };
  for (let index = 0; index < count; index += 1) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    floats[index] = 0.02 * radius * Math.cos(2 * Math.PI * uniform());
  }
  const words = new Uint32Array(floats.buffer);
  const halves = new Uint16Array(count);
  for (let index = 0; index < count; index += 1) halves[index] = words[index] >>> 16;
  return Buffer.from(halves.buffer);
}
