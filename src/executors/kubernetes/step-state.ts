import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { StepExit } from '../executor.js';
import type { ImageRecord } from '../images/image-record.js';
import { CONTAINER, IMAGE_ANNOTATION } from './step-labels.js';

/** A container that waits for one of these will not get on by waiting. */
const HOPELESS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** What a pod says of its step. */
export interface PodState {
  /** The container runs, or has run. */
  readonly started: boolean;
  readonly exit: StepExit | undefined;
  /** Why the container can't be started, as the node says it. */
  readonly hopeless: string | undefined;
}

export function podState(pod: V1Pod): PodState {
  const container = pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);
  const { running, terminated, waiting } = container?.state ?? {};
  const hopeless =
    waiting?.reason !== undefined && HOPELESS.has(waiting.reason)
      ? `${waiting.reason}: ${waiting.message ?? ''}`
      : undefined;
  if (terminated !== undefined) {
    return { started: true, exit: exitOf(terminated), hopeless: undefined };
  }
  // A node that evicts a pod, or that has no room for it after all, may end it with no container.
  const failed = pod.status?.phase === 'Failed';
  const why = [pod.status?.reason, pod.status?.message].filter((text) => text !== undefined);
  return {
    started: running !== undefined,
    exit: failed
      ? lost(`The step’s pod failed (${why.join(': ') || 'no reason given'}).`)
      : undefined,
    hopeless,
  };
}

/** Which image a pod's container has, once its node has looked; the digest is at the end of its name. */
export function imageOf(pod: V1Pod): ImageRecord | undefined {
  const container = pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);
  if (container === undefined || container.imageID === '') return undefined;
  const digest = /sha256:[0-9a-f]{64}$/.exec(container.imageID)?.[0];
  const pulledAs = pod.spec?.containers.find(({ name }) => name === CONTAINER)?.image ?? '';
  return {
    image: pod.metadata?.annotations?.[IMAGE_ANNOTATION] ?? pulledAs,
    pulledAs,
    digest: digest ?? null,
    id: container.imageID,
  };
}

/** How a step ended whose pod says nothing: by what its Job says. */
export function jobExit(job: V1Job): StepExit | undefined {
  const failed = job.status?.conditions?.find(
    ({ type, status }) => status === 'True' && (type === 'Failed' || type === 'FailureTarget'),
  );
  if (failed === undefined) return undefined;
  const why = [failed.reason, failed.message].filter((text) => text !== undefined).join(': ');
  return lost(`The cluster ended the step (${why}).`);
}

/** A step of which nothing is left but a sentence. */
export function lost(reason: string): StepExit {
  return { code: undefined, signal: undefined, reason };
}

function exitOf({
  exitCode,
  reason,
  signal,
}: {
  readonly exitCode: number;
  readonly reason?: string;
  readonly signal?: number;
}): StepExit {
  const exit = {
    code: exitCode,
    signal: signal === undefined || signal === 0 ? undefined : `number ${signal}`,
  };
  if (reason !== 'OOMKilled') return exit;
  return {
    ...exit,
    reason:
      'The step’s container was killed because it used more memory than it may (executor.kubernetes.memoryBytes, where nothing was estimated).',
  };
}
