import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { mapModules } from '#burnish/checkpoint/architectures/modules.js';
import { parseManifest } from '#burnish/checkpoint/chunked/read-manifest.js';
import { CheckpointError } from '#burnish/checkpoint/errors.js';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import { readTokenizer } from '#burnish/checkpoint/tokenizer/tokenizer.js';
import { safetensorsBytes } from '../checkpoint/synthetic.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Draw, fuzz } from './fuzz.js';
import { type Json, mutateBytes, mutateJson, oddValue } from './mutate.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

let folder: string;
let config: Json;
let tokenizer: { [key: string]: Json };

beforeAll(async () => {
  folder = temporaryFolder('fuzz-model');
  const read = async (name: string) =>
    JSON.parse(await readFile(join(MODEL, name), 'utf8')) as { [key: string]: Json };
  config = await read('config.json');
  tokenizer = await read('tokenizer.json');
  // All of its kinds of parts, few of its words.
  const model = tokenizer.model as { [key: string]: Json };
  const vocab = Object.fromEntries(Object.entries(model.vocab ?? {}).slice(0, 200));
  const known = (merge: Json) =>
    (Array.isArray(merge) ? merge : String(merge).split(' ')).every(
      (part) => String(part) in vocab,
    );
  const merges = (Array.isArray(model.merges) ? model.merges : [])
    .filter((merge) => known(merge) && known([String(merge).split(/[ ,]/).join('')]))
    .slice(0, 50);
  tokenizer = { ...tokenizer, model: { ...model, vocab, merges } };
});

/** JSON that is mostly still JSON. */
function drawText(draw: Draw, base: Json): Buffer {
  const value = draw.chance(0.05) ? oddValue(draw) : mutateJson(draw, base);
  const text = Buffer.from(JSON.stringify(value));
  return draw.chance(0.2) ? mutateBytes(draw, text) : text;
}

/** Runs what may say no in a typed way, and in no other. */
async function mayRefuse(input: () => string, act: () => Promise<unknown> | unknown) {
  try {
    await act();
  } catch (error) {
    if (error instanceof CheckpointError) return;
    throw new Error(`not a CheckpointError, for ${input().slice(0, 4_000)}`, { cause: error });
  }
}

const HEADER: Json = {
  __metadata__: { format: 'pt' },
  'model.embed_tokens.weight': { dtype: 'F32', shape: [4, 4], data_offsets: [0, 64] },
  'model.layers.0.self_attn.q_proj.weight': {
    dtype: 'BF16',
    shape: [4, 4],
    data_offsets: [64, 96],
  },
  'lm_head.weight': { dtype: 'I8', shape: [2, 8], data_offsets: [96, 112] },
};
const INDEX: Json = {
  metadata: { total_size: 112 },
  weight_map: {
    'model.embed_tokens.weight': 'model.safetensors',
    'model.layers.0.self_attn.q_proj.weight': 'model.safetensors',
    'lm_head.weight': 'model.safetensors',
  },
};

function drawShard(draw: Draw): Buffer {
  const header = draw.chance(0.3) ? HEADER : mutateJson(draw, HEADER);
  const data = Buffer.alloc(draw.of([112, 112, 112, 111, 113, 0]));
  const bytes = safetensorsBytes(JSON.stringify(header), data);
  if (draw.chance(0.1))
    bytes.writeBigUInt64LE(draw.of([0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 100_000_001n]));
  return draw.chance(0.2) ? mutateBytes(draw, bytes) : bytes;
}

describe('the checkpoint reader opens what it is given, or says what is wrong with it', () => {
  it('of configuration, index and weights', async () => {
    let count = 0;
    await fuzz(async (draw) => {
      count += 1;
      const model = join(folder, String(count));
      await mkdir(model);
      const files: Record<string, Buffer> = {
        'config.json': draw.chance(0.5)
          ? drawText(draw, config)
          : Buffer.from(JSON.stringify(config)),
        'model.safetensors': drawShard(draw),
      };
      if (draw.chance(0.5)) files['model.safetensors.index.json'] = drawText(draw, INDEX);
      for (const [name, bytes] of Object.entries(files)) await writeFile(join(model, name), bytes);
      const input = () =>
        Object.entries(files)
          .map(([name, bytes]) => `${name}: ${bytes.toString('latin1')}`)
          .join('\n');
      await mayRefuse(input, async () => {
        const checkpoint = await openCheckpoint(model);
        mapModules(checkpoint.config, checkpoint.tensors.values());
        let bytes = 0;
        for (const shard of checkpoint.shards) {
          for (const tensor of shard.tensors) bytes += tensor.length;
        }
        expect(bytes).toBeLessThanOrEqual(1_000);
      });
      await rm(model, { recursive: true });
    });
  });

  it('of a tokenizer', async () => {
    const path = join(folder, 'tokenizer.json');
    await fuzz(async (draw) => {
      const bytes = drawText(draw, tokenizer);
      await writeFile(path, bytes);
      const files = [{ name: 'tokenizer.json', path, size: bytes.length }];
      await mayRefuse(
        () => bytes.toString('latin1'),
        async () => {
          const read = await readTokenizer(files);
          read.encode('The quick brown fox, 123.', draw.chance(0.5));
        },
      );
    }, 0.25);
  });

  it('of a manifest of chunks', async () => {
    const manifest: Json = {
      format: 'burnish-chunked-weights',
      version: 1,
      framework: { name: 'burnish', version: '1' },
      model: { type: 'llama', architecture: 'llama', quantization: null },
      tensorParallelDegree: 2,
      pipelineParallelDegree: 1,
      expertParallel: false,
      chunkBytes: 8_388_608,
      ranks: [0, 1].map((tensorRank) => ({
        pipelineRank: 0,
        tensorRank,
        layers: [0, 1],
        file: `model-pp-0-tp-${tensorRank}.chunks`,
        bytes: 64,
        chunks: ['00000000'],
        tensors: [
          {
            name: 'a',
            dtype: 'F32',
            shape: [2, 2],
            offset: 0,
            bytes: 16,
            slice: { of: [4, 2], axis: 0, ranges: [[tensorRank * 2, 2]] },
          },
        ],
      })),
    };
    // What is changed below is right as it is.
    expect(parseManifest(JSON.stringify(manifest)).ranks).toHaveLength(2);
    await fuzz(async (draw) => {
      const text = drawText(draw, manifest).toString();
      await mayRefuse(
        () => text,
        () => parseManifest(text),
      );
    });
  });
});
