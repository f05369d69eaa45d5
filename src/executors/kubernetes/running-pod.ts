import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Job, V1Pod } from '@kubernetes/client-node';
import type { RunningStep, StepExit, StepPlace } from '../executor.js';
import { type ImageRecord, writeImageRecord } from '../images/image-record.js';
import type { StepFolders } from '../step-folders.js';
import { type Cluster, statusOf, unlessGone } from './cluster.js';
import { StepLog } from './step-log.js';
import {
  displaced,
  disruptionOf,
  fetchesApart,
  imageOf,
  jobExit,
  lost,
  podState,
} from './step-state.js';
import { watchObjects } from './watch-objects.js';

/** The API's Job may know the end before the pod's last word has arrived; so long it is waited for. */
const LAST_WORD_MS = 5_000;
const RETRY_MS = 1_000;
/** How a program ends that was told to, and may have left a model. */
const STOPPED_STATUS = 143;
/** The shortest time that a node can be told to give a pod. */
const KILL_SECONDS = 1;

/** What `adopt` needs to find a step again. */
export interface PodHandle {
  readonly namespace: string;
  readonly job: string;
}

export interface FollowOptions {
  /** How long a container may fail to be started, in milliseconds. */
  readonly hopelessMs: number;
  /**
   * Given where the step's folders are not those of its pod: notes what the pod has left elsewhere, and
   * says whether that is a whole result. Then also the cluster begins another pod where one was lost.
   */
  readonly collect?: ((place: StepPlace) => Promise<boolean>) | undefined;
}

/**
 * Follows a Job to its end: the log of its pod is appended to the step's, its exit status is noted in the
 * step's folder, and then it is removed, with all that it owns.
 */
export function followJob(
  cluster: Cluster,
  job: string,
  place: StepPlace,
  options: FollowOptions,
): RunningStep {
  const left = new AbortController();
  const watching = new AbortController();
  const signal = AbortSignal.any([left.signal, watching.signal]);
  const follower = new Follower(cluster, job, place, options, { over: signal, left: left.signal });
  const exit = follower.ended
    .then(async (found) => {
      await follower.logged();
      watching.abort();
      await follower.noteImage(place.folders);
      try {
        const end = await follower.noteEnd(found);
        if (end.code !== undefined) await writeFile(place.folders.exitFile, String(end.code));
        return end;
      } finally {
        await removeJob(cluster, job).catch(() => undefined);
      }
    })
    // Nobody waits for a step that was left.
    .catch((error: unknown) => {
      if (left.signal.aborted) return new Promise<never>(() => undefined);
      throw error;
    });
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

interface FollowerSignals {
  /** Aborted when nothing of the Job has to be known any more. */
  readonly over: AbortSignal;
  /** Aborted when the step is left alone. */
  readonly left: AbortSignal;
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
  readonly #log: StepLog;
  readonly #lost = new Set<string>();
  /** The cluster has taken the pod away, and its node may never say how it ended. */
  #disrupted = false;
  #tellsProgress = false;
  #lastWord = '';
  #image: ImageRecord | undefined;

  private readonly signal: AbortSignal;

  constructor(
    private readonly cluster: Cluster,
    private readonly job: string,
    private readonly place: StepPlace,
    private readonly options: FollowOptions,
    signals: FollowerSignals,
  ) {
    this.signal = signals.over;
    this.started = new Promise((resolve) => {
      this.#start = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#end = (exit) => {
        this.#over = true;
        resolve(exit);
      };
    });
    this.#log = new StepLog(cluster, place, this.ended, signals.left);
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
      this.signal,
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
      this.signal,
    );
  }

  /**
   * Notes what the pod left of its end that is not in the step's folders: what it made, or why it made
   * nothing.
   */
  async noteEnd(exit: StepExit): Promise<StepExit> {
    const { collect } = this.options;
    if (collect === undefined) return exit;
    if (exit.code === 0 || exit.code === STOPPED_STATUS) {
      const whole = await collect(this.place);
      return whole || exit.code !== 0
        ? exit
        : lost('The step’s pod ended well, and there is no list of what it made.');
    }
    const reason = reasonIn(this.#lastWord);
    if (reason !== undefined) {
      await writeFile(this.place.folders.errorFile, JSON.stringify({ error: reason }));
    }
    return exit;
  }

  /** Notes which image the pod ran, as its node found it. */
  async noteImage(folders: StepFolders): Promise<void> {
    if (this.#image !== undefined) await writeImageRecord(folders, this.#image);
  }

  /** Fulfilled when the log is whole. */
  async logged(): Promise<void> {
    this.#beginLog();
    await this.#log.whole();
  }

  /** Begins to append the present pod's log; to be called when the pod has started. */
  #beginLog(): void {
    if (this.#pod !== undefined) this.#log.begin(this.#pod, this.#tellsProgress);
  }

  /** Asks the node to end the pod; a step that has no pod yet is taken back whole. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#asked = signal;
    if (signal === 'SIGKILL' && this.#disrupted) this.#end({ code: undefined, signal });
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
    const name = pod.metadata?.name ?? '';
    if (this.#lost.has(name) || this.signal.aborted) return;
    const disruption = disruptionOf(pod);
    const state = podState(pod);
    const over = gone || state.exit !== undefined;
    const isReplaced = this.options.collect !== undefined && this.#asked === undefined;
    if (disruption !== undefined && over && isReplaced) {
      this.#lose(name, disruption);
      return;
    }
    this.#pod = name;
    this.#disrupted = disruption !== undefined;
    this.#tellsProgress = this.options.collect !== undefined && !fetchesApart(pod);
    this.#image = imageOf(pod) ?? this.#image;
    this.#lastWord = state.lastWord;
    if (state.started) {
      this.#beginLog();
      this.#start();
    }
    if (state.exit !== undefined) this.#end(state.exit);
    else if (gone) {
      this.#end(
        disruption === undefined
          ? this.#goneExit('The step’s pod was removed by somebody else.')
          : displaced(disruption),
      );
    } else this.#considerHopeless(state.hopeless);
  }

  /** The cluster begins another pod, which starts from nothing. */
  #lose(pod: string, why: string): void {
    this.#lost.add(pod);
    if (this.#pod === pod) {
      this.#log.endPresent();
      this.#pod = undefined;
      this.#considerHopeless(undefined);
    }
    this.#log.note(`${pod} lost`, `${why} The step begins again in another.`);
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
    const left = this.#hopelessSince + this.options.hopelessMs - Date.now();
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

/** What a container's last word says of a failure; a node cuts it off where it is long. */
function reasonIn(lastWord: string): string | undefined {
  if (lastWord.trim() === '') return undefined;
  try {
    const { error } = JSON.parse(lastWord) as { readonly error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // It is cut off, or no JSON at all; as it is it says more than nothing.
  }
  return lastWord;
}
