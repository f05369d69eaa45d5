import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createKernelPool } from '#burnish/kernels/index.js';
import { tryLargestBlock } from '#burnish/optimizer/compilation/preflight.js';
import { prepareCompilation } from '#burnish/optimizer/compilation/prepare.js';
import { Progress } from '#burnish/optimizer/progress.js';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import { writeModel } from '../../checkpoint/synthetic.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { compile } from './compiling.js';
import { TINY_CASES, tinyModel } from './tiny-models.js';

const MODEL = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));

const pool = createKernelPool({ threads: 1 });
afterAll(() => pool.close());

/** Plain, tied, with norms and scaled embeddings of its own, and with experts. */
const TRIED = TINY_CASES.filter(({ name }) =>
  ['llama', 'llama, tied and biased, with heads of 24', 'gemma3', 'qwen2_moe'].includes(name),
);

describe('before weights are compiled', () => {
  it('the largest tensor goes through, so that too little memory is told at once', async () => {
    const [outputFolder, log] = [temporaryFolder(), [] as string[]];
    const change = { outputFolder, memoryBytes: 30_000_000, log: (line: string) => log.push(line) };
    await expect(compile(MODEL, { OPTION_DTYPE: 'int4' }, change)).rejects.toThrow(
      /compiling \S+ took the process to [\d.]+ MB, but it may take 30\.00 MB/,
    );
    expect(log.join('\n')).not.toContain('went through');
    expect(await readdir(outputFolder)).toEqual([]);
  });

  it('a graph that is to be rewritten is refused where it does not fit into memory', async () => {
    const outputFolder = temporaryFolder();
    const environment = { OPTION_COMPILE_TARGET: 'this_machine' };
    const run = compile(MODEL, environment, { outputFolder, memoryBytes: 100_000_000 });
    await expect(run).rejects.toThrow(
      /rewriting a graph with [\d.]+ MB of weights for this machine takes about [\d.]+ MB, but it may take 100\.00 MB/,
    );
    expect(await readdir(outputFolder)).toEqual([]);
  });

  it.each(TRIED.map((tiny) => [tiny.name, tiny] as const))(
    'the largest block runs, and nothing of it stays: %s',
    async (_, tiny) => {
      const [scratchFolder, log] = [temporaryFolder(), [] as string[]];
      const run: StepRun = {
        inputFolder: await writeModel(tinyModel(tiny)),
        outputFolder: temporaryFolder(),
        environment: { OPTION_DTYPE: 'int4', OPTION_COMPILE_MEASURE: 'false' },
        datasets: {},
        scratchFolder,
        progress: Progress.toFile(undefined),
        log: (line) => log.push(line),
        signal: new AbortController().signal,
      };
      await tryLargestBlock(run, await prepareCompilation(run), pool, scratchFolder);
      expect(log.join()).toMatch(/the largest block, \S*layers\.\d, ran in \d+\.\d+ MB of memory/);
      expect(await readdir(scratchFolder)).toEqual([]);
    },
  );
});
