import type { V1ContainerStateTerminated, V1Job, V1Pod } from '@kubernetes/client-node';
import type { StepExit } from '../executor.js';
import type { ImageRecord } from '../images/image-record.js';
import { CONTAINER, FETCH_CONTAINER, IMAGE_ANNOTATION } from './step-labels.js';

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
  /** The step's container runs, or has run. */
  readonly started: boolean;
  readonly exit: StepExit | undefined;
  /** What the container that ended it left as its last word; empty for nothing. */
  readonly lastWord: string;
  /** Why a container can't be started, as the node says it. */
  readonly hopeless: string | undefined;
}

/** Reads a pod, whose containers run one after the other: the first that fails ends it, or else the last. */
export function podState(pod: V1Pod): PodState {
  const { initContainerStatuses = [], containerStatuses = [], phase } = pod.status ?? {};
  const containers = [...initContainerStatuses, ...containerStatuses];
  const step = containers.find(({ name }) => name === CONTAINER)?.state;
  const started = step?.running !== undefined || step?.terminated !== undefined;
  const ends = containers.map(({ state }) => state?.terminated);
  const end =
    ends.find((terminated) => terminated !== undefined && terminated.exitCode !== 0) ??
    (containerStatuses.length === 0 ? undefined : ends.at(-1));
  const lastWord = end?.message ?? '';
  const disruption = disruptionOf(pod);
  if (
    disruption !== undefined &&
    (phase === 'Failed' || (end !== undefined && end.exitCode !== 0))
  ) {
    return { started, exit: displaced(disruption), lastWord, hopeless: undefined };
  }
  if (end !== undefined) return { started, exit: exitOf(end), lastWord, hopeless: undefined };
  // A node that evicts a pod, or that has no room for it after all, may end it with no container.
  const why = [pod.status?.reason, pod.status?.message].filter((text) => text !== undefined);
  const exit =
    phase === 'Failed'
      ? lost(`The step’s pod failed${nodeOf(pod)} (${why.join(': ') || 'no reason given'}).`)
      : undefined;
  const waiting = containers
    .map(({ state }) => state?.waiting)
    .find((state) => state?.reason !== undefined && HOPELESS.has(state.reason));
  const hopeless = waiting && `${waiting.reason}: ${waiting.message ?? ''}`;
  return { started, exit, lastWord, hopeless };
}

/**
 * Why the cluster has taken a pod's place away, where it has: its node died or is drained, or a pod of a
 * higher priority needed the room.
 *
 * Source: "Pod disruption conditions" in the Kubernetes documentation of disruptions.
 */
export function disruptionOf(pod: V1Pod): string | undefined {
  const condition = pod.status?.conditions?.find(
    ({ type, status }) => type === 'DisruptionTarget' && status === 'True',
  );
  if (condition === undefined) return undefined;
  const why = [condition.reason, condition.message].filter((text) => text !== undefined);
  return `The cluster took the step’s pod away${nodeOf(pod)} (${why.join(': ')}).`;
}

const nodeOf = ({ spec }: V1Pod): string =>
  spec?.nodeName === undefined ? '' : ` on the node ${spec.nodeName}`;

/** Whether a pod's model is fetched by a container of its own. */
export function fetchesApart({ spec }: V1Pod): boolean {
  return spec?.initContainers?.some(({ name }) => name === FETCH_CONTAINER) ?? false;
}

/** Which image a pod's container has, once its node has looked; the digest is at the end of its name. */
export function imageOf(pod: V1Pod): ImageRecord | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const statuses = [...initContainerStatuses, ...containerStatuses];
  const container = statuses.find(({ name }) => name === CONTAINER);
  if (container === undefined || container.imageID === '') return undefined;
  const digest = /sha256:[0-9a-f]{64}$/.exec(container.imageID)?.[0];
  const specified = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const pulledAs = specified.find(({ name }) => name === CONTAINER)?.image ?? '';
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

/** A step that was none of its own end. */
export function displaced(reason: string): StepExit {
  return { ...lost(reason), displaced: true };
}

/** A step of which nothing is left but a sentence. */
export function lost(reason: string): StepExit {
  return { code: undefined, signal: undefined, reason };
}

function exitOf({ exitCode, reason, signal }: V1ContainerStateTerminated): StepExit {
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
