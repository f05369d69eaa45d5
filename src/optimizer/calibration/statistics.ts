import type { CaptureSink } from '../forward/stages/stage-run.js';
import type { InputStatistics } from '../techniques/input-statistics.js';

/** Up to this width sums are kept in f64. Beyond it the matrix alone would take gigabytes; each number
 * then is the f32 sum of a few hundred partial sums, off by a millionth or so. */
const MAX_EXACT_COLUMNS = 6144;

/** Adds up what passes through the inputs of linear layers. */
export class StatisticsCollector implements CaptureSink {
  readonly #sums = new Map<string, InputSums>();

  add(
    modules: readonly string[],
    tokens: number,
    gram: Float32Array,
    magnitude: Float32Array,
    largest: Float32Array,
    product?: Float32Array,
  ): void {
    const [module = ''] = modules;
    let sums = this.#sums.get(module);
    if (sums === undefined) {
      sums = new InputSums(magnitude.length);
      for (const name of modules) this.#sums.set(name, sums);
    }
    sums.add(tokens, gram, magnitude, largest, product);
  }

  /** The statistics of a layer's input; undefined if no token reached it, as it may be with experts. */
  of(module: string): InputStatistics | undefined {
    return this.#sums.get(module)?.statistics();
  }
}

class InputSums {
  readonly #columns: number;
  readonly #gram: Sums;
  readonly #magnitude: Float64Array;
  readonly #largest: Float32Array;
  #product: Sums | undefined;
  #tokens = 0;

  constructor(columns: number) {
    this.#columns = columns;
    this.#gram = squareOfSums(columns);
    this.#magnitude = new Float64Array(columns);
    this.#largest = new Float32Array(columns);
  }

  add(
    tokens: number,
    gram: Float32Array,
    magnitude: Float32Array,
    largest: Float32Array,
    product: Float32Array | undefined,
  ): void {
    addTo(this.#gram, gram);
    if (product !== undefined) {
      this.#product ??= squareOfSums(this.#columns);
      addTo(this.#product, product);
    }
    addTo(this.#magnitude, magnitude);
    for (let column = 0; column < this.#columns; column += 1) {
      const value = largest[column] ?? 0;
      if (value > (this.#largest[column] ?? 0)) this.#largest[column] = value;
    }
    this.#tokens += tokens;
  }

  statistics(): InputStatistics {
    const columns = this.#columns;
    return {
      columns,
      tokens: this.#tokens,
      gram: symmetric(this.#gram, columns),
      ...(this.#product !== undefined && { original: Float32Array.from(this.#product) }),
      meanMagnitude: Float32Array.from(this.#magnitude, (sum) => sum / this.#tokens),
      largestMagnitude: this.#largest,
    };
  }
}

type Sums = Float64Array | Float32Array;

function squareOfSums(columns: number): Sums {
  const size = columns * columns;
  return columns <= MAX_EXACT_COLUMNS ? new Float64Array(size) : new Float32Array(size);
}

function addTo(sums: Sums, values: Float32Array): void {
  for (let index = 0; index < values.length; index += 1) {
    sums[index] = (sums[index] ?? 0) + (values[index] ?? 0);
  }
}

/** The two halves made equal to the bit: they are sums of the same products in another order. */
function symmetric(sums: Sums, columns: number): Float32Array {
  const gram = Float32Array.from(sums);
  for (let row = 0; row < columns; row += 1) {
    for (let column = 0; column < row; column += 1) {
      gram[row * columns + column] = gram[column * columns + row] ?? 0;
    }
  }
  return gram;
}
