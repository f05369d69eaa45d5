import type { EnvironmentMap, TechniqueName } from '../service-model/techniques.js';
import type { StepFolders } from './step-folders.js';
import type { StepObjects } from './step-objects.js';

/** One step of a job, staged and ready to run. */
export interface StepRequest {
  /** Whose step it is; engines carry it as labels, and in the names of what they run. */
  readonly job: string;
  /** Which step of the job, counted from 0. */
  readonly step: number;
  readonly technique: TechniqueName;
  /** The container image that the step asks for; undefined for the built-in optimizer. */
  readonly image?: string | undefined;
  /**
   * The caller's settings, merged. The built-in optimizer is handed them as data; in an image they are
   * variables of the environment.
   */
  readonly environment: EnvironmentMap;
  /** The accelerators that the result will be served on. */
  readonly deployment: DeploymentInstance;
  /** Local copies of the texts that settings name, by setting. */
  readonly datasets: Readonly<Record<string, string>>;
  /** The model that the step works on; never written to. Of no meaning where `objects` is given. */
  readonly inputFolder: string;
  /** For an executor whose steps take their model from an object store. */
  readonly objects?: StepObjects | undefined;
  readonly folders: StepFolders;
  /** Where the program's stdout and stderr go, appended. */
  readonly logFile: string;
  /**
   * When the job's time is over, in milliseconds since the epoch. The service itself ends the step
   * then; a time limit of the engine's own is the backstop behind that, and has to lie later.
   */
  readonly deadline: number;
  /** How long the service gives the step between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** What the step is expected to need; where it is not known the engine's own default holds. */
  readonly resources?: ResourceEstimate | undefined;
  /** The job's VpcConfig. */
  readonly network?: StepNetwork | undefined;
}

/** What the job's deployment instance has, as the step's program is told it. */
export interface DeploymentInstance {
  readonly instanceType: string;
  readonly accelerator: string;
  readonly count: number;
  /** Gigabytes (10⁹ bytes) of one accelerator. */
  readonly memoryGb: number;
}

/** What a step is expected to need of the machine that it runs on. */
export interface ResourceEstimate {
  readonly cores?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly gpus?: number | undefined;
}

/** The network that a job asks for; what its identifiers stand for is configured. */
export interface StepNetwork {
  readonly subnets: readonly string[];
  readonly securityGroupIds: readonly string[];
}

/** How a step's program ended: by an exit status, or by a signal. */
export interface StepExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** What the engine knows of why it did not end by itself, as sentences for whoever sent the job. */
  readonly reason?: string | undefined;
  /** Set where the step lost its place, with its node for one, and may do better in another. */
  readonly displaced?: true;
}

export interface RunningStep {
  /** What `adopt` needs to find the step after a restart of the service; plain JSON. */
  readonly handle: unknown;
  /**
   * The machine whose node has to look after the step, as `hostIdentity` names it; absent where the
   * node of any machine can adopt it.
   */
  readonly host?: string | undefined;
  /**
   * Fulfilled when the step's program runs, where an engine may let it wait for a place first; absent
   * where it runs at once. Never rejected; it may stay pending when the step ends without having run.
   */
  readonly started?: Promise<void>;
  /** Fulfilled when the step's program has ended and its log is whole. */
  readonly exit: Promise<StepExit>;
  /** What the step takes of this machine's memory now; absent, or undefined, where nobody can tell. */
  readonly memoryBytes?: () => Promise<number | undefined>;
  /** Sends a signal to all of the step. After the step has ended it does nothing. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
  /**
   * Stops following the step, which goes on: the service goes down, and its next process adopts it.
   * `exit` is of no more use then.
   */
  leave(): void;
}

/** What is asked of an executor before a job is accepted. */
export type StepDemand = Pick<StepRequest, 'technique' | 'image' | 'network'> & {
  readonly instanceType: string;
};

/** What is left of a step for whoever looks for it after a restart of the service. */
export type StepPlace = Pick<StepRequest, 'job' | 'step' | 'folders' | 'logFile'>;

/** Where steps run. */
export interface Executor {
  /**
   * Present where steps take their model from the object store and leave their result there: no file of
   * it is in their folders but the report, and `readResultObjects` says what there is.
   */
  readonly objects?: {
    /** Removes what is in the object store of a step that nobody needs any more. */
    discard(place: StepPlace): Promise<void>;
  };
  /**
   * Why a step can't run here, in sentences for whoever sends the job, or undefined when it can. Asked
   * before a job is accepted, so it has to be quick.
   */
  refusal(demand: StepDemand): Promise<string | undefined>;
  /**
   * Whether a step runs on other machines than this one, by the leave of whoever hands out their cores
   * and memory; absent where none does.
   */
  runsElsewhere?(step: Pick<StepDemand, 'image'>): boolean;
  /**
   * @param signal aborted when the step is no longer wanted while it is being started
   * @throws ExecutorError when the step can't be started
   */
  start(request: StepRequest, signal: AbortSignal): Promise<RunningStep>;
  /**
   * Takes over a step that an earlier process of the service started, also one that has ended since.
   * @returns undefined when nothing is known of how it ended
   */
  adopt(handle: unknown, place: StepPlace): Promise<RunningStep | undefined>;
  /**
   * Ends, at once, whatever an earlier process of the service left running of a step, also what it had
   * no time to take note of.
   */
  reap(place: StepPlace): Promise<void>;
}

/** A step could not be started or followed; the message says why and what to do. */
export class ExecutorError extends Error {
  override readonly name = 'ExecutorError';
}
