import { Progress } from '#burnish/optimizer/progress.js';

/** Tells nobody how a step goes, and stops it once a phase has finished so many tensors. */
export class StoppingProgress extends Progress {
  readonly #stop: AbortController;
  readonly #phase: string;
  #left: number;
  #current = '';

  constructor(stop: AbortController, phase: string, tensors: number) {
    super(() => undefined);
    this.#stop = stop;
    this.#phase = phase;
    this.#left = tensors;
  }

  override begin(...[phase, total]: Parameters<Progress['begin']>): void {
    this.#current = phase;
    super.begin(phase, total);
  }

  override advance(...[tensors, bytes, layer]: Parameters<Progress['advance']>): void {
    super.advance(tensors, bytes, layer);
    if (this.#current !== this.#phase) return;
    this.#left -= tensors;
    if (this.#left === 0) this.#stop.abort(new Error('stopped'));
  }
}
