import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { RunningStep, StepExit, StepPlace } from '../executor.js';
import { type ImageRecord, writeImageRecord } from '../images/image-record.js';
import type { StepFolders } from '../step-folders.js';
import { type Cluster, statusOf, unlessGone } from './cluster.js';
import { appendPodLog } from './pod-log.js';
import { imageOf, jobExit, lost, podState } from './step-state.js';
import { watchObjects } from './watch-objects.js';

/** The API's Job may know the end before the pod's last word has arrived; so long it is waited for. */
const LAST_WORD_MS = 5_000;
const RETRY_MS = 1_000;
/** The shortest time that a node can be told to give a pod. */
const KILL_SECONDS = 1;

/** What `adopt` needs to find a step again. */
export interface PodHandle {
  readonly namespace: string;
  readonly job: string;
}

/**
 * Follows a Job to its end: the log of its pod is appended to the step's, its exit status is noted in the
 * step's folder, and then it is removed, with all that it owns.
 */
export function followJob(
  cluster: Cluster,
  job: string,
  place: StepPlace,
  hopelessMs: number,
): RunningStep {
  const left = new AbortController();
  const watching = new AbortController();
  const follower = new Follower(
    cluster,
    job,
    hopelessMs,
    AbortSignal.any([left.signal, watching.signal]),
  );
  const exit = follower.ended
    .then(async (end) => {
      await follower.logged(place.logFile, left.signal);
      watching.abort();
      await follower.noteImage(place.folders);
      if (end.code !== undefined) await writeFile(place.folders.exitFile, String(end.code));
      await removeJob(cluster, job).catch(() => undefined);
      return end;
    })
    // Nobody waits for a step that was left.
    .catch((error: unknown) => {
      if (left.signal.aborted) return new Promise<never>(() => undefined);
      throw error;
    });
  void follower.started.then(() => follower.beginLog(place.logFile, left.signal));
  return {
    handle: { namespace: cluster.namespace, job } satisfies PodHandle,
    started: follower.started,
    exit,
    signal: (signal) => void follower.end(signal),
    leave: () => left.abort(),
  };
}

/** Removes a Job, and by that its pod and its network policy. */
export function removeJob(cluster: Cluster, job: string): Promise<void> {
  const { namespace } = cluster;
  return unlessGone(
    cluster.jobs.deleteNamespacedJob({ namespace, name: job, propagationPolicy: 'Background' }),
  );
}

class Follower {
  readonly started: Promise<void>;
  readonly ended: Promise<StepExit>;
  #start: () => void = () => undefined;
  #end: (exit: StepExit) => void = () => undefined;
  #pod: string | undefined;
  #asked: 'SIGTERM' | 'SIGKILL' | undefined;
  #over = false;
  #hopelessSince: number | undefined;
  #log: Promise<void> | undefined;
  #image: ImageRecord | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly job: string,
    private readonly hopelessMs: number,
    private readonly signal: AbortSignal,
  ) {
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#end = (exit) => {
        this.#over = true;
        resolve(exit);
      };
    });
    const { namespace, jobs, pods } = cluster;
    const trouble = { onTrouble: () => undefined };
    const ofJob = `batch.kubernetes.io/job-name=${job}`;
    void watchObjects<V1Pod>(
      cluster,
      {
        ...trouble,
        path: `/api/v1/namespaces/${namespace}/pods`,
        labelSelector: ofJob,
        list: () => pods.listNamespacedPod({ namespace, labelSelector: ofJob }),
        onObject: (pod, gone) => this.#onPod(pod, gone),
      },
      signal,
    );
    const field = `metadata.name=${job}`;
    void watchObjects<V1Job>(
      cluster,
      {
        ...trouble,
        path: `/apis/batch/v1/namespaces/${namespace}/jobs`,
        fieldSelector: field,
        list: () => jobs.listNamespacedJob({ namespace, fieldSelector: field }),
        onObject: (object, gone) => this.#onJob(object, gone),
      },
      signal,
    );
  }

  /** Begins to append the pod's log; to be called when it has started. */
  beginLog(logFile: string, signal: AbortSignal): void {
    if (this.#pod === undefined || this.#log !== undefined) return;
    this.#log = appendPodLog(this.cluster, this.#pod, logFile, this.ended, signal);
    this.#log.catch(() => undefined);
  }

  /** Notes which image the pod ran, as its node found it. */
  async noteImage(folders: StepFolders): Promise<void> {
    if (this.#image !== undefined) await writeImageRecord(folders, this.#image);
  }

  /** Fulfilled when the log is whole. */
  async logged(logFile: string, signal: AbortSignal): Promise<void> {
    this.beginLog(logFile, signal);
    await this.#log;
  }

  /** Asks the node to end the pod; a step that has no pod yet is taken back whole. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#asked = signal;
    const { namespace, pods } = this.cluster;
    const grace = signal === 'SIGKILL' ? { gracePeriodSeconds: KILL_SECONDS } : {};
    while (!this.#over && !this.signal.aborted) {
      try {
        if (this.#pod === undefined) await removeJob(this.cluster, this.job);
        else await unlessGone(pods.deleteNamespacedPod({ namespace, name: this.#pod, ...grace }));
        return;
      } catch (error) {
        if (statusOf(error) !== undefined && statusOf(error) === 403) throw error;
        await delay(RETRY_MS, undefined, { signal: this.signal }).catch(() => undefined);
      }
    }
  }

  #onPod(pod: V1Pod, gone: boolean): void {
    this.#pod = pod.metadata?.name;
    const state = podState(pod);
    this.#image = imageOf(pod) ?? this.#image;
    if (state.started) this.#start();
    if (state.exit !== undefined) this.#end(state.exit);
    else if (gone) this.#end(this.#goneExit('The step’s pod was removed, or its node was lost.'));
    else this.#considerHopeless(state.hopeless);
  }

  #onJob(job: V1Job, gone: boolean): void {
    const exit = gone
      ? this.#goneExit('The step’s Job was removed by somebody else.')
      : jobExit(job);
    if (exit === undefined) return;
    const wait = delay(LAST_WORD_MS, undefined, { signal: this.signal });
    void wait.then(
      () => this.#end(exit),
      () => undefined,
    );
  }

  #goneExit(reason: string): StepExit {
    return this.#asked === undefined ? lost(reason) : { code: undefined, signal: this.#asked };
  }

  #considerHopeless(hopeless: string | undefined): void {
    if (hopeless === undefined) {
      this.#hopelessSince = undefined;
      return;
    }
    this.#hopelessSince ??= Date.now();
    const left = this.#hopelessSince + this.hopelessMs - Date.now();
    const wait = delay(Math.max(0, left), undefined, { signal: this.signal });
    void wait.then(
      () => {
        if (this.#hopelessSince === undefined || this.#over) return;
        this.#end(lost(`The step’s container can’t be started (${hopeless}).`));
      },
      () => undefined,
    );
  }
}
