import { appendFile } from 'node:fs/promises';
import type { StepPlace } from '../executor.js';
import type { Cluster } from './cluster.js';
import { appendPodLog } from './pod-log.js';

/** The log of a step, to which those of its pods are appended one after the other. */
export class StepLog {
  /** What is appended, by the name of the pod or the note; a pod that was lost has a log too. */
  readonly #appended = new Map<string, Promise<void>>();
  /** Says that the present pod writes no more. */
  #endPresent: () => void = () => undefined;

  /**
   * @param ended settled when the step has ended
   * @param left aborted when the step is left alone
   */
  constructor(
    private readonly cluster: Cluster,
    private readonly place: StepPlace,
    private readonly ended: Promise<unknown>,
    private readonly left: AbortSignal,
  ) {}

  /**
   * Begins to append a pod's log, once for each pod; to be called when it has started.
   * @param tellsProgress whether progress comes between the lines of the log
   */
  begin(pod: string, tellsProgress: boolean): void {
    if (this.#appended.has(pod)) return;
    const silent = new Promise<void>((resolve) => {
      this.#endPresent = resolve;
    });
    const { logFile, folders } = this.place;
    const files = { logFile, progressFile: tellsProgress ? folders.progressFile : undefined };
    this.#append(pod, () =>
      appendPodLog(this.cluster, pod, files, Promise.race([this.ended, silent]), this.left),
    );
  }

  /** The pod that writes now writes no more. */
  endPresent(): void {
    this.#endPresent();
  }

  /** Appends a line of the service's own, under a name that no pod has. */
  note(name: string, text: string): void {
    const line = `${new Date().toISOString()} ${text}\n`;
    this.#append(name, () => appendFile(this.place.logFile, line));
  }

  /** Fulfilled when all that was begun is appended. */
  async whole(): Promise<void> {
    await Promise.all(this.#appended.values());
  }

  #append(name: string, append: () => Promise<void>): void {
    const before = Promise.allSettled(this.#appended.values());
    const appended = before.then(append);
    appended.catch(() => undefined);
    this.#appended.set(name, appended);
  }
}
