import type { ObjectLocation } from '../../../objects/s3-uri.js';
import type { DeploymentInstance } from '../../executor.js';
import { type StepFolders, stepFolders } from '../../step-folders.js';
import type { StepObjects } from '../../step-objects.js';

/** Where a pod has the volume that its step works on, and that goes with it. */
export const POD_ROOT = '/opt/ml/pod';
/** The model that a step works on. */
export const POD_INPUT = `${POD_ROOT}/source`;

/** The folders of a step in its pod. */
export const podFolders = (step: number): StepFolders => stepFolders(POD_ROOT, step);

/** The program that fetches and uploads for a step, in the image that the project's Dockerfile makes. */
export const POD_PROGRAM = [
  'node',
  '/opt/burnish/dist/executors/kubernetes/object-staging/pod-program.js',
] as const;

/** The variable that tells the program where its order is, as JSON. */
export const ORDER_VARIABLE = 'BURNISH_STEP_ORDER';

/** Where a step's order is, and how the pod gets there; its credentials are those of its environment. */
export interface OrderPlace extends ObjectLocation {
  readonly endpoint: string;
  readonly region: string;
  readonly pathStyle: boolean;
}

/** All that a pod has to know of its step. */
export interface StepOrder {
  /** Counted from 0. */
  readonly step: number;
  readonly objects: StepObjects;
  /** What the built-in optimizer is to do; undefined for an image, which has it in its environment. */
  readonly settings: StepSettings | undefined;
}

export interface StepSettings {
  readonly technique: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly deployment: DeploymentInstance;
  /** What it is given, where that is known. */
  readonly cores: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** In a step's folder of the staging location: what the service leaves for the pod. */
export const ORDER_FILE = { folder: 'order', name: 'order.json' } as const;
/** And what the pod leaves last: the list of all files of the result. Without it there is none. */
export const LIST_FILE = { folder: 'list', name: 'result.json' } as const;
/** Below it, by a name of each attempt's own, are those files. */
export const RESULTS_FOLDER = 'results';

/**
 * In front of a line of the built-in optimizer's pod that is no line of its log but an event of its
 * progress: the record separator of RFC 7464.
 */
export const PROGRESS_MARK = '\u001e';
