import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from '#burnish/optimizer/progress.js';
import { runQuantization } from '#burnish/optimizer/quantization/run.js';
import type { OptimizationReport } from '#burnish/optimizer/report/types.js';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** A step in this process, and what became of it. */
export interface EndedStep {
  readonly output: string;
  readonly log: readonly string[];
  /** What it failed with. */
  readonly error: Error | undefined;
}

export interface StepOptions extends Partial<StepRun> {
  /** Stops the step when so many layers were quantized. */
  readonly stopAfter?: number;
}

/** Lines that tell of a quantized layer begin with its name and its scheme. */
const LAYER_LINE = /^[\w.]+: (?:int|fp)\d/;

export async function quantize(
  inputFolder: string,
  environment: Readonly<Record<string, string>>,
  { stopAfter, ...change }: StepOptions = {},
): Promise<EndedStep> {
  const output = temporaryFolder();
  const stop = new AbortController();
  const log: string[] = [];
  let layers = 0;
  const error = await runQuantization({
    inputFolder,
    outputFolder: output,
    environment,
    datasets: {},
    scratchFolder: undefined,
    progress: Progress.toFile(undefined),
    signal: stop.signal,
    ...change,
    log(line) {
      log.push(line);
      if (!LAYER_LINE.test(line)) return;
      layers += 1;
      if (layers === stopAfter) stop.abort(new Error('stopped'));
    },
  }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { output, log, error };
}

export async function readReport(folder: string): Promise<OptimizationReport> {
  return JSON.parse(await readFile(join(folder, 'optimization-report.json'), 'utf8'));
}

/** What times and memory are called in a report. */
const MEASURED = new Set(['startedAt', 'endedAt', 'seconds', 'performance']);

/** Every file of a result by name; of the report what does not depend on the clock. */
export async function contentOf(folder: string): Promise<ReadonlyMap<string, unknown>> {
  const files = new Map<string, unknown>();
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  for (const name of names.sort()) {
    const bytes = await readFile(join(folder, name));
    files.set(
      name,
      name === 'optimization-report.json'
        ? JSON.parse(bytes.toString(), (key, value: unknown) =>
            MEASURED.has(key) ? undefined : value,
          )
        : bytes.toString('base64'),
    );
  }
  return files;
}
