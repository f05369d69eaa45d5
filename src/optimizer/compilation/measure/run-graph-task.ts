import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { isJsonObject, parseJson } from '../../../checkpoint/json.js';
import { CompilationError } from '../errors.js';
import type { Measurements, MeasureTask, OptimizeTask } from './graph-task.js';

const PROGRAM = fileURLToPath(new URL('./graph-process.js', import.meta.url));

/** Longest text of a failure that is passed on. */
const MAX_MESSAGE = 500;

/** Measures a graph in a process of its own.
 * @throws CompilationError if ONNX Runtime does not load or run it; the signal's reason when it aborts. */
export async function measure(task: MeasureTask, signal: AbortSignal): Promise<Measurements> {
  return (await runTask(task, signal)) as Measurements;
}

/** Saves a graph as ONNX Runtime rewrites it for this machine, from a process of its own.
 * @throws CompilationError, and the signal's reason, like {@link measure}. */
export async function optimize(task: OptimizeTask, signal: AbortSignal): Promise<void> {
  await runTask(task, signal);
}

async function runTask(task: MeasureTask | OptimizeTask, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
  const kill = (): boolean => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    // A process that dies early closes its input; why is told by its end.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(task));
    const [output, errors, [status, ended]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null, string | null]>,
    ]);
    signal.throwIfAborted();
    return resultOf(output, errors, status ?? ended ?? 'unknown');
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function resultOf(output: string, errors: string, status: number | string): unknown {
  const answer = output === '' ? null : parseJson(output, { what: 'the answer about the graph' });
  if (isJsonObject(answer) && answer.result !== undefined) return answer.result;
  const said = isJsonObject(answer) && typeof answer.error === 'string' ? answer.error : errors;
  const ending = `the process ended with ${status}`;
  throw new CompilationError(
    `ONNX Runtime cannot run the graph: ${said.trim().slice(0, MAX_MESSAGE) || ending}`,
  );
}
