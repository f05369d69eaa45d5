import type { CaptureSink, InputSums } from '../forward/stages/stage-run.js';
import type { InputStatistics } from '../techniques/input-statistics.js';

const NONE = new Float32Array();

/** Keeps what passed through the inputs of linear layers. */
export class StatisticsCollector implements CaptureSink {
  readonly #found = new Map<string, InputStatistics>();

  add(modules: readonly string[], sums: InputSums): void {
    const { columns, tokens, gram, magnitude, largest, product } = sums;
    const statistics: InputStatistics = {
      columns,
      tokens,
      gram,
      ...(product && { original: product }),
      meanMagnitude: magnitude?.map((sum) => sum / tokens) ?? NONE,
      largestMagnitude: largest ?? NONE,
    };
    for (const module of modules) this.#found.set(module, statistics);
  }

  /** The statistics of a layer's input; undefined if no token reached it, as it may be with experts. */
  of(module: string): InputStatistics | undefined {
    return this.#found.get(module);
  }
}
