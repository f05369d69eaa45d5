import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { shard } from '../optimizer/sharding/support.js';
import { INTEROP_PYTHON } from '../support/interop-python.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const MODEL = join(here, '..', '..', 'fixtures', 'shakespeare-llama');
const VLLM_PYTHON = join(here, '..', '..', '.venv-vllm', 'bin', 'python');
const hasVllm = existsSync(VLLM_PYTHON);

if (!hasVllm) {
  console.warn(
    'SKIPPED: loading sharded models with vLLM. It is 6 GB and several minutes to install; `node scripts/interop/install-vllm.mjs` does it, and then these tests run too.',
  );
}

/** The fixture, sharded into a folder of its own. */
async function sharded(settings: Readonly<Record<string, string | number>>): Promise<string> {
  const { folder } = await shard(MODEL, settings, { outputFolder: temporaryFolder() });
  return folder;
}

describe.skipIf(INTEROP_PYTHON === undefined)('chunked ranks', () => {
  it.each([
    [2, 1],
    [8, 1],
    [4, 3],
  ])('of degrees %d and %d, put together by numpy, are the source', async (tensor, pipeline) => {
    const folder = await sharded({
      TENSOR_PARALLEL_DEGREE: tensor,
      PIPELINE_PARALLEL_DEGREE: pipeline,
      SHARD_LAYOUT: 'chunked',
    });
    const { stdout } = await run(INTEROP_PYTHON ?? '', [
      join(here, 'read_shards.py'),
      MODEL,
      folder,
    ]);
    expect(stdout).toBe(`ok: 39 tensors from ${tensor * pipeline} ranks\n`);
  });
});

describe.skipIf(!hasVllm)('vLLM', () => {
  const generate = async (folder: string, degree: number, format: string): Promise<unknown> => {
    const script = join(here, 'vllm', 'generate.py');
    const { stdout } = await run(VLLM_PYTHON, [script, folder, String(degree), format]);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  };

  it('generates from a sharded state of two ranks what it generates from the source', async () => {
    const folder = await sharded({ TENSOR_PARALLEL_DEGREE: 2 });
    const expected = await generate(MODEL, 1, 'auto');
    expect(await generate(folder, 2, 'sharded_state')).toEqual(expected);
  });

  it('holds what the committed states say', async () => {
    const folder = temporaryFolder();
    await run(VLLM_PYTHON, [join(here, 'vllm', 'dump_states.py'), folder]);
    const committed = join(here, '..', 'optimizer', 'sharding', 'vllm-states');
    const names = await readdir(committed);
    expect((await readdir(folder)).sort()).toEqual(names.sort());
    for (const name of names) {
      const read = async (from: string) => JSON.parse(await readFile(join(from, name), 'utf8'));
      expect(await read(folder)).toEqual(await read(committed));
    }
  });
});
