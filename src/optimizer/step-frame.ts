import { join } from 'node:path';
import { createKernelPool, type KernelPool } from '../kernels/index.js';
import type { StepContract } from './contract.js';
import { emptyFolder, writeNew } from './output/folder.js';
import type { Progress } from './progress.js';
import {
  type FileReport,
  type OptimizationReport,
  REPORT_FILE,
  REPORT_VERSION,
  type StepReport,
} from './report/types.js';

/** Who is told how a step goes, and what can stop it. */
export interface StepObserver {
  readonly progress: Progress;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** One step: its folders and settings, and who is told about it. The output folder exists and is empty;
 * after a failure it is empty again. */
export type StepRun = Omit<StepContract, 'technique' | 'progressFile'> & StepObserver;

/** What every technique decides before the first byte is written. */
export interface PreparedStep {
  /** The output folder, with links followed; it is empty. */
  readonly output: string;
  /** What was done to the source by steps before this one. */
  readonly earlierSteps: readonly StepReport[];
}

/** What came of a step, all of it written but the report. */
export interface ProducedStep {
  /** False for what was saved of a step that was told to stop: a model, but not yet the one asked for. */
  readonly complete: boolean;
  readonly step: StepReport;
  readonly files: readonly FileReport[];
  /** Lines for the log. */
  readonly summary: readonly string[];
}

/** What one technique puts into the frame that all share. */
export interface StepWork<Prepared extends PreparedStep> {
  /** Reads headers and settings, and decides; writes nothing. */
  prepare(run: StepRun): Promise<Prepared>;
  /** What was decided, as lines for the log. */
  describe(prepared: Prepared): readonly string[];
  /** Writes all of the result but its report. When the run's signal aborts, it may write what is finished
   * instead, as a model that loads; it need not look at the signal again then. */
  produce(
    run: StepRun,
    prepared: Prepared,
    pool: KernelPool,
    startedAt: Date,
  ): Promise<ProducedStep>;
}

/** Carries a step out: prepares, produces, and writes the report last. A step that fails leaves nothing
 * that could be taken for a result; one that is told to stop leaves what it could save, or nothing.
 * @throws whatever the technique throws; the signal's reason when it aborts. */
export async function carryOut<Prepared extends PreparedStep>(
  run: StepRun,
  work: StepWork<Prepared>,
): Promise<OptimizationReport> {
  const startedAt = new Date();
  run.progress.begin('reading', { tensors: 0, bytes: 0 });
  const prepared = await work.prepare(run);
  for (const line of work.describe(prepared)) run.log(line);
  const report = await produce(run, work, prepared, startedAt).catch(async (error: unknown) => {
    // If even that fails, the first failure is still the one to tell.
    await emptyFolder(prepared.output).catch(() => undefined);
    throw error;
  });
  if (!report.complete) throw run.signal.reason;
  return report;
}

async function produce<Prepared extends PreparedStep>(
  run: StepRun,
  work: StepWork<Prepared>,
  prepared: Prepared,
  startedAt: Date,
): Promise<OptimizationReport> {
  const pool = createKernelPool();
  try {
    const produced = await work.produce(run, prepared, pool, startedAt);
    const report: OptimizationReport = {
      schemaVersion: REPORT_VERSION,
      complete: produced.complete,
      steps: [...prepared.earlierSteps, produced.step],
      files: produced.files,
    };
    await writeNew(join(prepared.output, REPORT_FILE), `${JSON.stringify(report, null, 2)}\n`);
    for (const line of produced.summary) run.log(line);
    return report;
  } finally {
    await pool.close();
  }
}
