import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCompilation } from '#burnish/optimizer/compilation/run.js';
import { Progress } from '#burnish/optimizer/progress.js';
import type { OptimizationReport } from '#burnish/optimizer/report/types.js';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import { StoppingProgress } from '../../support/stopping-progress.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const MODEL = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));

interface Compilation {
  readonly report: OptimizationReport;
  readonly log: readonly string[];
}

async function compile(
  environment: Readonly<Record<string, string>>,
  change: Partial<StepRun> = {},
): Promise<Compilation> {
  const log: string[] = [];
  const report = await runCompilation({
    inputFolder: MODEL,
    outputFolder: temporaryFolder(),
    environment: { OPTION_COMPILE_MEASURE: 'false', ...environment },
    datasets: {},
    scratchFolder: temporaryFolder(),
    progress: Progress.toFile(undefined),
    signal: new AbortController().signal,
    ...change,
    log: (line) => log.push(line),
  });
  return { report, log };
}

/** Compiles until so many weights are written besides the first. */
async function compilePart(
  environment: Readonly<Record<string, string>>,
  resumeFolder: string,
  weights: number,
): Promise<void> {
  const stop = new AbortController();
  const outputFolder = temporaryFolder();
  const progress = new StoppingProgress(stop, 'compiling', weights);
  const change = { resumeFolder, outputFolder, progress, signal: stop.signal };
  await expect(compile(environment, change)).rejects.toThrow('stopped');
  expect(await readdir(outputFolder)).toEqual([]);
}

describe('a compilation that was stopped', () => {
  it.each([
    { OPTION_DTYPE: 'int4' },
    { OPTION_DTYPE: 'int8', OPTION_COMPILE_LAYOUT: 'transformers_js' },
    { OPTION_DTYPE: 'fp32', OPTION_COMPILE_TARGET: 'this_machine' },
  ])('gives the same bytes when it goes on: %j', async (environment) => {
    const whole = await compile(environment);
    const resumeFolder = temporaryFolder();
    await compilePart(environment, resumeFolder, 4);
    await compilePart(environment, resumeFolder, 6);
    const resumed = await compile(environment, { resumeFolder });
    const [, finished = ''] = /from (\d+) finished tensors/.exec(resumed.log.join('\n')) ?? [];
    // The first of each attempt, and those that it was stopped after; others were on their way.
    expect(Number(finished)).toBeGreaterThanOrEqual(2 + 4 + 6);
    expect(resumed.report.files).toEqual(whole.report.files);
    expect(resumed.report.complete).toBe(true);
  });

  it('does not go on into another type', async () => {
    const resumeFolder = temporaryFolder();
    await compilePart({ OPTION_DTYPE: 'int4' }, resumeFolder, 4);
    await rename(join(resumeFolder, 'own'), join(resumeFolder, 'offered'));
    await expect(compile({ OPTION_DTYPE: 'int8' }, { resumeFolder })).rejects.toThrow(
      'OPTION_DTYPE was int4 and is int8',
    );
  });
});
