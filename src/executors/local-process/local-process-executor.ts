import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Executor, ExecutorError, type RunningStep, type StepExit } from '../executor.js';
import { lmiEnvironment } from '../lmi-environment.js';
import { identifyProcess, isSameProcess, type ProcessIdentity } from './process-identity.js';

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
    async start(request) {
      const { stepFile, progressFile } = request.folders;
      const { technique, environment, datasets } = request;
      await writeFile(stepFile, JSON.stringify({ technique, environment, datasets }));
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
            BURNISH_STEP_FILE: stepFile,
            BURNISH_PROGRESS_FILE: progressFile,
          },
        });
        return await follow(child);
      } finally {
        await log.close();
      }
    },

    async reap(handle) {
      const identity = handle as ProcessIdentity;
      if (await isSameProcess(identity)) signalGroup(identity.pid, 'SIGKILL');
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
    exit,
    signal(signal) {
      if (child.exitCode === null && child.signalCode === null) signalGroup(pid, signal);
    },
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The group may have ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function inheritedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
