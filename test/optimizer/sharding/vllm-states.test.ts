import { readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { VLLM_VERSION } from '#burnish/checkpoint/architectures/sharding/table.js';
import { ARCHITECTURES } from '#burnish/checkpoint/architectures/table.js';
import { readSafetensors } from '#burnish/checkpoint/safetensors/reader.js';
import { hashedTensor, shard, writeModel } from './support.js';

/** What vLLM itself has in memory after loading a small checkpoint, and would save: written by
 * test/interop/vllm/dump_states.py. */
interface DumpedCase {
  readonly vllm: string;
  readonly config: { readonly model_type: string };
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly states: readonly {
    readonly tensorParallel: number;
    readonly expertParallel: boolean;
    /** Type, shape and CRC-32 of each tensor by its name. */
    readonly ranks: readonly Readonly<
      Record<string, readonly [string, readonly number[], string]>
    >[];
  }[];
}

const FOLDER = fileURLToPath(new URL('vllm-states', import.meta.url));
const CASES = readdirSync(FOLDER).map((name): readonly [string, DumpedCase] => [
  name.replace('.json', ''),
  JSON.parse(readFileSync(join(FOLDER, name), 'utf8')),
]);

describe('a sharded state', () => {
  it('was dumped by the version of vLLM that the table names, for every architecture', () => {
    const types = CASES.map(([, { config }]) => config.model_type);
    for (const { name, modelTypes } of ARCHITECTURES) {
      expect(
        types.some((type) => modelTypes.includes(type)),
        name,
      ).toBe(true);
    }
    for (const [, { vllm }] of CASES) expect(vllm).toBe(VLLM_VERSION);
  });

  it.each(
    CASES.flatMap(([name, dumped]) =>
      dumped.states.map((state) => {
        const { tensorParallel, expertParallel } = state;
        return { name, dumped, state, tensorParallel, expertParallel };
      }),
    ),
  )(
    'of $name at degree $tensorParallel (whole experts: $expertParallel) is vLLM’s',
    async (row) => {
      const { dumped, state, tensorParallel, expertParallel } = row;
      const tensors = Object.entries(dumped.tensors).map(([name, shape]) =>
        hashedTensor(name, shape),
      );
      const source = await writeModel(dumped.config, tensors);
      const { folder } = await shard(source, {
        TENSOR_PARALLEL_DEGREE: tensorParallel,
        ENABLE_EXPERT_PARALLEL: String(expertParallel),
      });
      for (const [rank, expected] of state.ranks.entries()) {
        expect(await readState(join(folder, `model-rank-${rank}-part-0.safetensors`))).toEqual(
          expected,
        );
      }
    },
  );
});

async function readState(path: string): Promise<DumpedCase['states'][number]['ranks'][number]> {
  const { tensors } = await readSafetensors(path);
  const file = await open(path);
  try {
    const described: Record<string, readonly [string, readonly number[], string]> = {};
    for (const { name, dtype, shape, offset, length } of tensors) {
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      described[name] = [dtype, shape, crc32(buffer).toString(16).padStart(8, '0')];
    }
    return described;
  } finally {
    await file.close();
  }
}
