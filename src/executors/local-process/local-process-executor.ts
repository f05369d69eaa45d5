import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, realpath } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Executor,
  ExecutorError,
  type RunningStep,
  type StepExit,
  type StepNetwork,
  type StepRequest,
} from '../executor.js';
import { lmiEnvironment, threadsEnvironment } from '../lmi-environment.js';
import { readExitFile } from '../read-exit-file.js';
import { writeStepFile } from '../step-file.js';
import { findProcesses } from './find-processes.js';
import { hostIdentity } from './host-identity.js';
import { grantNetwork } from './isolation/grant-network.js';
import {
  type CommandLine,
  type HiddenPlaces,
  isolatedCommand,
  placesOfStep,
  type Reach,
} from './isolation/isolate-step.js';
import { probeIsolation } from './isolation/probe-isolation.js';
import type { VpcNetwork } from './isolation/vpc-networks.js';
import { identifyProcess, isSameProcess, type ProcessIdentity } from './process-identity.js';
import { endFirstWithoutMemory, memoryOfProcess } from './process-memory.js';

/** Tells the program where its settings are, and us whose step a process is. */
const STEP_FILE_VARIABLE = 'BURNISH_STEP_FILE';

/** How often an adopted process is looked for, in milliseconds. */
const POLL_MS = 200;

/** The only variables of the service that a step's program gets to see. */
const INHERITED_VARIABLES = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const;

/** How steps are kept apart from each other and from the service. */
export interface StepIsolation {
  readonly hidden: HiddenPlaces;
  /** What a VpcConfig can name. */
  readonly networks: readonly VpcNetwork[];
}

/**
 * Runs steps as processes of this machine, each in a process group of its own, its output appended
 * straight to the log file so that it goes on when the service is gone. Where the machine can do it,
 * and `isolation` is given, each sees the processes of its own step alone, and of the data folder
 * what it was given.
 *
 * @param optimizerProgram the path of the built-in optimizer's entry point
 */
export function createLocalProcessExecutor(
  optimizerProgram: string,
  isolation?: StepIsolation,
): Executor {
  return {
    async refusal({ image, network }) {
      if (network !== undefined) {
        const granted = await grantNetwork(network, isolation?.networks ?? []);
        if ('refusal' in granted) return granted.refusal;
      }
      if (image === undefined) return undefined;
      return `Image ${image} needs a container engine, and this service is set up to run steps as processes of its own machine alone.`;
    },

    async start(request) {
      const { stepFile, progressFile, exitFile, resume } = request.folders;
      await writeStepFile(request, request.datasets);
      await mkdir(dirname(request.logFile), { recursive: true });
      const log = await open(request.logFile, 'a');
      try {
        const { command, variables } = await commandFor(optimizerProgram, request, isolation);
        const [program, ...parameters] = command;
        const child = spawn(program, parameters, {
          cwd: request.folders.root,
          detached: true,
          stdio: ['ignore', log.fd, log.fd],
          env: {
            ...inheritedEnvironment(),
            ...lmiEnvironment(request.inputFolder, request.folders),
            [STEP_FILE_VARIABLE]: stepFile,
            BURNISH_PROGRESS_FILE: progressFile,
            BURNISH_EXIT_FILE: exitFile,
            BURNISH_RESUME_DIR: resume,
            ...threadsEnvironment(request.resources?.cores),
            ...variables,
          },
        });
        if (child.pid !== undefined) endFirstWithoutMemory(child.pid);
        // The service may go down and leave the step running.
        child.unref();
        return await follow(child, exitFile);
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
        memoryBytes: () => memoryOfProcess(identity.pid),
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

/**
 * What a step reaches.
 * @throws ExecutorError when this machine can't hold it to that
 */
async function reachOf(
  asked: StepNetwork | undefined,
  networks: readonly VpcNetwork[],
): Promise<Reach> {
  if (asked === undefined) return 'machine';
  const granted = await grantNetwork(asked, networks);
  if ('refusal' in granted) throw new ExecutorError(granted.refusal);
  return granted.reach;
}

/** How a step's program is started, and what it is told besides. */
async function commandFor(
  optimizerProgram: string,
  request: StepRequest,
  isolation: StepIsolation | undefined,
): Promise<{ readonly command: CommandLine; readonly variables: Record<string, string> }> {
  const command = [process.execPath, optimizerProgram] as const;
  const reach = await reachOf(request.network, isolation?.networks ?? []);
  const { kind } = await probeIsolation();
  if (isolation === undefined || kind === 'none') return { command, variables: {} };
  const dataDir = await realpath(isolation.hidden.dataDir);
  if (command.some((path) => path.startsWith(dataDir + sep))) {
    // With the data folder the program itself would be hidden.
    if (reach === 'machine') return { command, variables: {} };
    throw new ExecutorError(
      `The data folder ${dataDir} holds the service's own program, so that steps can't be isolated from it. Give the service a data folder of its own.`,
    );
  }
  const places = await placesOfStep(request, isolation.hidden);
  const stepFolder = await realpath(request.folders.root);
  return {
    command: isolatedCommand({ kind, reach, stepFolder, dataDir, places }, command),
    // What the system keeps for everyone may be out of reach.
    variables: { TMPDIR: request.folders.cache },
  };
}

async function follow(child: ChildProcess, exitFile: string): Promise<RunningStep> {
  const exit = new Promise<StepExit>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new ExecutorError(`The optimizer could not be started: ${error.message}`)),
    );
    child.once('exit', (code, signal) =>
      resolve(exitOf(code ?? undefined, signal ?? undefined, exitFile)),
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
    memoryBytes: () => memoryOfProcess(pid),
    leave: () => undefined,
  };
}

/**
 * How a program ended. A shell in between tells the signal that it died of as 128 and its number; who
 * ends with such a status by itself has noted it.
 */
async function exitOf(
  code: number | undefined,
  signal: string | undefined,
  exitFile: string,
): Promise<StepExit> {
  const [name] = Object.entries(constants.signals).find(([, n]) => code === 128 + n) ?? [];
  const noted = name === undefined ? undefined : await readExitFile(exitFile);
  return name === undefined || noted === code
    ? { code, signal }
    : { code: undefined, signal: name };
}

/** A process that is not our child can only be asked for again and again. */
async function untilGone(identity: ProcessIdentity): Promise<void> {
  while (await isSameProcess(identity)) await delay(POLL_MS);
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
