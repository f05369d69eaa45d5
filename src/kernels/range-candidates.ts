import { type CodeGrid, type GridKernels, ownGridKernels } from './grid-kernels.js';
import type { Region } from './kernel-memory.js';

/** A range as shares of a group's own: of its least weight and of its greatest. */
export type RangeShares = readonly [least: number, greatest: number];

/** What rows are a multiple of. */
const ROW_UNIT = 4;
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Of one group: scales and zero points of each candidate, `[candidates, rows]`. */
export interface CandidateRanges {
  readonly scales: Float32Array;
  readonly zeroPoints: Float32Array;
}

/**
 * Candidates for the range of a group of columns, for many rows at a time.
 *
 * All matrices lie transposed: a column's elements, one for each row, follow one another. `errors` and
 * `images` lie in memory that belongs to this object and may be given to whoever multiplies matrices.
 */
export class RangeCandidates {
  /** How many there are: the first is one that is given, the others shares of the group's range. */
  readonly count: number;
  /** What rounding does to each weight, `[columns, candidates, rows]`, as `list` left it. */
  readonly errors: Float32Array;
  /** Room for the errors' products with a matrix. */
  readonly images: Float32Array;
  readonly #grid: CodeGrid;
  readonly #kernels: GridKernels;
  readonly #rows: number;
  readonly #shares: Region;
  readonly #source: Region;
  readonly #scales: Region;
  readonly #zeroPoints: Region;
  readonly #errors: Region;
  readonly #images: Region;
  readonly #pulls: Region;
  readonly #products: Region;
  #columns = 0;

  /**
   * @param rows of every group, a multiple of 4.
   * @param columns most of a group.
   * @throws RangeError for rows that are no multiple of 4.
   */
  constructor(grid: CodeGrid, rows: number, columns: number, shares: readonly RangeShares[]) {
    if (rows % ROW_UNIT !== 0) throw new RangeError(`${rows} rows are no multiple of ${ROW_UNIT}`);
    this.#grid = grid;
    this.#rows = rows;
    this.count = shares.length + 1;
    this.#kernels = ownGridKernels();
    const table = this.count * rows * FLOAT;
    const [sharesAt, source, scales, zeroPoints, products, pulls, errors, images] =
      this.#kernels.layOut([
        2 * shares.length * Float64Array.BYTES_PER_ELEMENT,
        ...([columns * rows * FLOAT, table, table, table, columns * rows * FLOAT] as const),
        ...([columns * table, columns * table] as const),
      ]);
    this.#shares = sharesAt;
    this.#source = source;
    this.#scales = scales;
    this.#zeroPoints = zeroPoints;
    this.#products = products;
    this.#pulls = pulls;
    this.#errors = errors;
    this.#images = images;
    this.errors = this.#kernels.floats(errors);
    this.images = this.#kernels.floats(images);
    this.#kernels.doubles(sharesAt).set(shares.flat());
  }

  /**
   * Takes up a group and lists its candidates.
   *
   * @param weights `[columns, rows]`.
   * @param given scales and zero points of the first candidate, `[rows]`.
   */
  list(weights: Float32Array, given: CandidateRanges): CandidateRanges {
    this.#take(weights);
    const [rows, shares] = [this.#rows, this.count - 1];
    const after = rows * FLOAT;
    this.#kernels
      .on(this.#grid)
      .coverShares(
        ...([this.#source.address, this.#columns, rows, this.#shares.address, shares] as const),
        ...([this.#scales.address + after, this.#zeroPoints.address + after] as const),
      );
    this.#kernels.floats(this.#scales).set(given.scales);
    this.#kernels.floats(this.#zeroPoints).set(given.zeroPoints);
    this.#round(this.count);
    return {
      scales: this.#kernels.floats(this.#scales).slice(),
      zeroPoints: this.#kernels.floats(this.#zeroPoints).slice(),
    };
  }

  /** Takes up a group again, with what `list` gave. */
  take(weights: Float32Array, { scales, zeroPoints }: CandidateRanges): void {
    this.#take(weights);
    this.#kernels.floats(this.#scales).set(scales);
    this.#kernels.floats(this.#zeroPoints).set(zeroPoints);
  }

  /** Sums of errors times their images, `[candidates, rows]`; not to be kept. */
  ownProducts(): Float32Array {
    return this.#multiply(this.#images, false);
  }

  /** Sums of errors times `others`, `[columns, rows]`, as `[candidates, rows]`; not to be kept. */
  products(others: Float32Array): Float32Array {
    this.#kernels.floats(this.#pulls).set(others);
    return this.#multiply(this.#pulls, true);
  }

  /** What weights are off with one candidate for each row; not to be kept. */
  errorsOf(weights: Float32Array, { scales, zeroPoints }: CandidateRanges): Float32Array {
    this.take(weights, { scales, zeroPoints });
    this.#round(1);
    return this.errors.subarray(0, weights.length);
  }

  #take(weights: Float32Array): void {
    this.#columns = weights.length / this.#rows;
    this.#kernels.floats(this.#source).set(weights);
  }

  #round(candidates: number): void {
    this.#kernels
      .on(this.#grid)
      .candidateErrors(
        ...([this.#source.address, this.#columns, this.#rows, candidates] as const),
        ...([this.#scales.address, this.#zeroPoints.address, this.#errors.address] as const),
      );
  }

  #multiply(others: Region, same: boolean): Float32Array {
    this.#kernels
      .on(this.#grid)
      .candidateProducts(
        ...([this.#source.address, this.#columns, this.#rows, this.count] as const),
        ...([this.#scales.address, this.#zeroPoints.address, others.address] as const),
        ...([same ? 1 : 0, this.#products.address] as const),
      );
    return this.#kernels.floats(this.#products);
  }
}
