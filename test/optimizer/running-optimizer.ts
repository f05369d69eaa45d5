import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OptimizationReport } from '#burnish/optimizer/report/types.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROGRAM = fileURLToPath(new URL('../../dist/optimizer/main.js', import.meta.url));

/** The program as a process of its own, started as an executor starts it. */
export interface RunningOptimizer {
  readonly process: ChildProcess;
  readonly output: string;
  readonly progressFile: string;
  readonly ended: Promise<EndedOptimizer>;
}

export interface EndedOptimizer {
  readonly status: number | null;
  readonly log: string;
  readonly errors: string;
  /** What the error file says; undefined if there is none. */
  readonly error: string | undefined;
}

export interface StartOptions {
  /** Content of the step's file; by default a quantization with these settings. */
  readonly step?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  /** Inside a container there is no step file: the settings are the process's own variables. */
  readonly inContainer?: boolean;
  readonly progressFile?: string;
  readonly output?: string;
}

export async function startOptimizer(
  input: string,
  options: StartOptions = {},
): Promise<RunningOptimizer> {
  const folder = temporaryFolder();
  const output = options.output ?? join(folder, 'output');
  await mkdir(output, { recursive: true });
  const stepFile = join(folder, 'step.json');
  const environment = options.environment ?? {};
  await writeFile(
    stepFile,
    JSON.stringify(options.step ?? { technique: 'quantization', environment }),
  );
  const errorFile = join(folder, 'errors/errors.json');
  const progressFile = options.progressFile ?? join(folder, 'progress.jsonl');
  const child = spawn(process.execPath, [PROGRAM], {
    env: {
      SM_NEO_INPUT_MODEL_DIR: input,
      SM_NEO_COMPILED_MODEL_DIR: output,
      SM_NEO_COMPILATION_ERROR_FILE: errorFile,
      BURNISH_PROGRESS_FILE: progressFile,
      ...(options.inContainer === true ? environment : { BURNISH_STEP_FILE: stepFile }),
    },
  });
  let log = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    log += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = once(child, 'close').then(async ([status]): Promise<EndedOptimizer> => {
    const error = existsSync(errorFile)
      ? (JSON.parse(await readFile(errorFile, 'utf8')).error as string)
      : undefined;
    return { status, log, errors, error };
  });
  return { process: child, output, progressFile, ended };
}

/** Runs the program to its end. */
export async function optimize(
  input: string,
  options: StartOptions = {},
): Promise<EndedOptimizer & { readonly output: string; readonly progressFile: string }> {
  const { ended, output, progressFile } = await startOptimizer(input, options);
  return { ...(await ended), output, progressFile };
}

export async function readReport(output: string): Promise<OptimizationReport> {
  return JSON.parse(
    await readFile(join(output, 'optimization-report.json'), 'utf8'),
  ) as OptimizationReport;
}
