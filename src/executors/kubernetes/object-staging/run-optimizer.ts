import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REPORT_FILE } from '../../../optimizer/report/types.js';
import { CONTAINER_PATHS } from '../../lmi-container.js';
import { lmiEnvironment, threadsEnvironment } from '../../lmi-environment.js';
import { POD_INPUT, PROGRESS_MARK, podFolders, type StepOrder } from './step-order.js';

const OPTIMIZER = fileURLToPath(new URL('../../../optimizer/main.js', import.meta.url));
/** How often its progress is looked at, in milliseconds. */
const LOOK_MS = 1_000;
/** How often a transfer gives a sign of life, in milliseconds. */
const BEAT_MS = 5_000;
const STOPPED_STATUS = 143;

/**
 * Runs the built-in optimizer in its pod, without the pod's credentials, and hands SIGTERM on to it.
 *
 * @returns its exit status, and whether it has left a model: also one that was told to end may
 */
export async function runOptimizer(
  { step, settings }: StepOrder,
  datasets: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly hasResult: boolean }> {
  const folders = podFolders(step);
  const { cores, memoryBytes, ...given } = settings ?? {};
  await writeFile(folders.stepFile, JSON.stringify({ ...given, datasets }));
  const child = spawn(process.execPath, [OPTIMIZER], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: folders.temporary,
      TMPDIR: folders.temporary,
      LANG: 'C.UTF-8',
      ...lmiEnvironment(POD_INPUT, { ...folders, errorFile: CONTAINER_PATHS.errorFile }),
      BURNISH_STEP_FILE: folders.stepFile,
      BURNISH_PROGRESS_FILE: folders.progressFile,
      ...threadsEnvironment(cores),
      ...(memoryBytes === undefined ? {} : { BURNISH_MEMORY_BYTES: String(memoryBytes) }),
    },
  });
  const onStop = () => child.kill('SIGTERM');
  if (signal.aborted) onStop();
  signal.addEventListener('abort', onStop, { once: true });
  const endProgress = tellProgress(folders.progressFile);
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, name) => {
        resolve(code ?? 128 + (name === null ? 0 : constants.signals[name]));
      });
    });
    const saved = status === STOPPED_STATUS && existsSync(join(folders.output, REPORT_FILE));
    return { status, hasResult: status === 0 || saved };
  } finally {
    signal.removeEventListener('abort', onStop);
    await endProgress();
  }
}

/** Tells, again and again while something is done, that it goes on. */
export async function beating<T>(phase: string, act: () => Promise<T>): Promise<T> {
  const beat = () => tell(JSON.stringify({ time: Date.now(), phase }));
  beat();
  const timer = setInterval(beat, BEAT_MS);
  try {
    return await act();
  } finally {
    clearInterval(timer);
  }
}

/** Hands the lines of a progress file on as they come. @returns what ends that, with the last of them */
function tellProgress(path: string): () => Promise<void> {
  let at = 0;
  let looking = Promise.resolve();
  const look = async () => {
    const file = await open(path).catch(() => undefined);
    if (file === undefined) return;
    try {
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(size - at), 0, size - at, at);
      const whole = buffer.lastIndexOf('\n') + 1;
      at += whole;
      for (const line of buffer.toString('utf8', 0, whole).split('\n')) {
        if (line !== '') tell(line);
      }
    } finally {
      await file.close();
    }
  };
  const next = () => {
    looking = looking.then(look);
    return looking;
  };
  const timer = setInterval(() => void next(), LOOK_MS);
  return () => {
    clearInterval(timer);
    return next();
  };
}

function tell(event: string): void {
  process.stdout.write(`${PROGRESS_MARK}${event}\n`);
}
