import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Executor, ExecutorError, type RunningStep, type StepExit } from '../executor.js';
import { lmiEnvironment } from '../lmi-environment.js';
import { findProcesses } from './find-processes.js';
import { hostIdentity } from './host-identity.js';
import { identifyProcess, isSameProcess, type ProcessIdentity } from './process-identity.js';

/** Tells the program where its settings are, and us whose step a process is. */
const STEP_FILE_VARIABLE = 'BURNISH_STEP_FILE';

/** How often an adopted process is looked for, in milliseconds. */
const POLL_MS = 200;

/** The only variables of the service that a step's program gets to see. */
const INHERITED_VARIABLES = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const;

/**
 * Runs steps as processes of this machine, each in a process group of its own, its output appended
 * straight to the log file so that it goes on when the service is gone.
 *
 * @param optimizerProgram the path of the built-in optimizer's entry point
 */
export function createLocalProcessExecutor(optimizerProgram: string): Executor {
  return {
    async refusal({ image }) {
      if (image === undefined) return undefined;
      return `Image ${image} needs a container engine, and this service is set up to run steps as processes of its own machine alone.`;
    },

    async start(request) {
      const { stepFile, progressFile, exitFile } = request.folders;
      const { technique, environment, datasets, deployment } = request;
      const step = { technique, environment, datasets, deployment };
      await writeFile(stepFile, JSON.stringify(step));
      await mkdir(dirname(request.logFile), { recursive: true });
      const log = await open(request.logFile, 'a');
      try {
        const child = spawn(process.execPath, [optimizerProgram], {
          cwd: request.folders.root,
          detached: true,
          stdio: ['ignore', log.fd, log.fd],
          env: {
            ...inheritedEnvironment(),
            ...lmiEnvironment(request.inputFolder, request.folders),
            [STEP_FILE_VARIABLE]: stepFile,
            BURNISH_PROGRESS_FILE: progressFile,
            BURNISH_EXIT_FILE: exitFile,
            ...threadsEnvironment(request.resources?.cores),
          },
        });
        // The service may go down and leave the step running.
        child.unref();
        return await follow(child);
      } finally {
        await log.close();
      }
    },

    async adopt(handle, { folders }) {
      const identity = handle as ProcessIdentity;
      const alive = await isSameProcess(identity);
      if (!alive && (await readExitFile(folders.exitFile)) === undefined) return undefined;
      return {
        handle,
        host: await hostIdentity(),
        exit: untilGone(identity).then(async () => ({
          code: await readExitFile(folders.exitFile),
          signal: undefined,
        })),
        signal(signal) {
          isSameProcess(identity).then(
            (same) => same && signalGroup(identity.pid, signal),
            () => undefined,
          );
        },
        leave: () => undefined,
      };
    },

    async reap({ folders }) {
      const processes = await findProcesses(STEP_FILE_VARIABLE, folders.stepFile);
      for (const pid of processes) signalGroup(pid, 'SIGKILL');
      await Promise.all(processes.map(async (pid) => untilGone(await identifyProcess(pid))));
    },
  };
}

async function follow(child: ChildProcess): Promise<RunningStep> {
  const exit = new Promise<StepExit>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new ExecutorError(`The optimizer could not be started: ${error.message}`)),
    );
    child.once('exit', (code, signal) =>
      resolve({ code: code ?? undefined, signal: signal ?? undefined }),
    );
  });
  const pid = child.pid;
  // Without a process number the start has failed, and `exit` is rejected with the reason.
  if (pid === undefined) {
    await exit;
    throw new ExecutorError('The optimizer could not be started.');
  }
  return {
    handle: await identifyProcess(pid),
    host: await hostIdentity(),
    exit,
    signal(signal) {
      if (child.exitCode === null && child.signalCode === null) signalGroup(pid, signal);
    },
    leave: () => undefined,
  };
}

/** A process that is not our child can only be asked for again and again. */
async function untilGone(identity: ProcessIdentity): Promise<void> {
  while (await isSameProcess(identity)) await delay(POLL_MS);
}

async function readExitFile(path: string): Promise<number | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The group may have ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A program that was given nothing takes all cores of the machine. */
function threadsEnvironment(cores: number | undefined): Record<string, string> {
  return cores === undefined ? {} : { BURNISH_THREADS: String(Math.max(1, Math.floor(cores))) };
}

function inheritedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
