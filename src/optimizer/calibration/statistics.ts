import type { CaptureSink, InputSums } from '../forward/stages/stage-run.js';
import type { InputStatistics } from '../techniques/input-statistics.js';

/** Keeps what passed through the inputs of linear layers. */
export class StatisticsCollector implements CaptureSink {
  readonly #found = new Map<string, InputStatistics>();

  add(modules: readonly string[], sums: InputSums): void {
    const statistics = statisticsOf(sums);
    for (const module of modules) this.#found.set(module, statistics);
  }

  /** The statistics of a layer's input; undefined if no token reached it, as it may be with experts. */
  of(module: string): InputStatistics | undefined {
    return this.#found.get(module);
  }
}

function statisticsOf({
  columns,
  tokens,
  gram,
  magnitude,
  largest,
  product,
}: InputSums): InputStatistics {
  mirror(gram, columns);
  return {
    columns,
    tokens,
    gram,
    ...(product && { original: product }),
    meanMagnitude: magnitude.map((sum) => sum / tokens),
    largestMagnitude: largest,
  };
}

/** Columns and rows of a square that is copied at a time, so that both its sides stay in the cache. */
const TILE = 64;

/** Makes the two halves equal to the bit: they are sums of the same products in another order. */
function mirror(gram: Float32Array, columns: number): void {
  for (let top = 0; top < columns; top += TILE) {
    const bottom = Math.min(columns, top + TILE);
    for (let left = 0; left <= top; left += TILE) {
      for (let row = top; row < bottom; row += 1) {
        const end = Math.min(row, left + TILE);
        for (let column = left; column < end; column += 1) {
          gram[row * columns + column] = gram[column * columns + row] ?? 0;
        }
      }
    }
  }
}
