import type { EnvironmentMap, TechniqueName } from '../service-model/techniques.js';
import type { StepFolders } from './step-folders.js';

/** One step of a job, staged and ready to run. */
export interface StepRequest {
  readonly technique: TechniqueName;
  /** The caller's settings, merged; handed to the program as data. */
  readonly environment: EnvironmentMap;
  /** The accelerators that the result will be served on. */
  readonly deployment: DeploymentInstance;
  /** Local copies of the texts that settings name, by setting. */
  readonly datasets: Readonly<Record<string, string>>;
  /** The model that the step works on; never written to. */
  readonly inputFolder: string;
  readonly folders: StepFolders;
  /** Where the program's stdout and stderr go, appended. */
  readonly logFile: string;
}

/** What the job's deployment instance has, as the step's program is told it. */
export interface DeploymentInstance {
  readonly instanceType: string;
  readonly accelerator: string;
  readonly count: number;
  /** Gigabytes (10⁹ bytes) of one accelerator. */
  readonly memoryGb: number;
}

/** How a step's program ended: by an exit status, or by a signal. */
export interface StepExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export interface RunningStep {
  /** What `adopt` needs to find the step after a restart of the service; plain JSON. */
  readonly handle: unknown;
  /** Fulfilled when the step's program has ended. */
  readonly exit: Promise<StepExit>;
  /** Sends a signal to all of the step. After the step has ended it does nothing. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Where steps run. */
export interface Executor {
  /** @throws ExecutorError when the step can't be started */
  start(request: StepRequest): Promise<RunningStep>;
  /**
   * Takes over a step that an earlier process of the service started, also one that has ended since.
   * @returns undefined when nothing is known of how it ended
   */
  adopt(handle: unknown, folders: StepFolders): Promise<RunningStep | undefined>;
  /**
   * Ends, at once, whatever an earlier process of the service left running in a step's folders, also
   * what it had no time to take note of.
   */
  reap(folders: StepFolders): Promise<void>;
}

/** A step could not be started or followed; the message says why and what to do. */
export class ExecutorError extends Error {
  override readonly name = 'ExecutorError';
}
