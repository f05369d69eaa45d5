import { setMaxListeners } from 'node:events';

/**
 * What can stop a call: its caller's signal, if any, and the closing of the pool. Held apart
 * rather than joined by AbortSignal.any, whose every signal the long-lived one would remember.
 */
export class StopSignals {
  readonly #signals: readonly AbortSignal[];

  constructor(own: AbortSignal | undefined, closing: AbortSignal) {
    this.#signals = own === undefined ? [closing] : [own, closing];
    // As many calls as there are files may wait on one signal.
    setMaxListeners(0, ...this.#signals);
  }

  get stopped(): boolean {
    return this.#signals.some((signal) => signal.aborted);
  }

  throwIfStopped(): void {
    for (const signal of this.#signals) signal.throwIfAborted();
  }

  /** Runs `work`, calling `onStop` as soon as there is reason to stop. */
  async whileListening<Result>(onStop: () => void, work: () => Promise<Result>): Promise<Result> {
    for (const signal of this.#signals) signal.addEventListener('abort', onStop);
    try {
      if (this.stopped) onStop();
      return await work();
    } finally {
      for (const signal of this.#signals) signal.removeEventListener('abort', onStop);
    }
  }
}
