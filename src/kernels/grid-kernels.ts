import { FLOAT_TYPE_NUMBERS, type FloatType } from './float-type.js';
import { compileKernels, KernelMemory, type MemoryExports, type Region } from './kernel-memory.js';

/** The numbers that integer codes of a calibrated technique can stand for. */
export interface CodeGrid {
  /** 2 to 8. */
  readonly bits: number;
  /** Columns that share a scale; the last group is narrower where they do not divide a row. */
  readonly groupSize: number;
  /** Whether every zero point is `2^(bits − 1)`. */
  readonly symmetric: boolean;
  /** Type in which scales are stored. */
  readonly scaleType: FloatType;
  /** The smallest zero point that can be stored: 0 or 1. */
  readonly lowestZeroPoint: number;
}

/** What the module exports for calibrated techniques; all are addresses but counts. */
interface GridExports extends MemoryExports {
  setCodeGrid(bits: number, symmetric: number, scaleType: number, lowestZeroPoint: number): void;
  roundScaled(
    source: number,
    columns: number,
    rows: number,
    groupSize: number,
    factors: number,
    inverses: number,
    errors: number,
  ): void;
  chooseRanges(
    source: number,
    rows: number,
    columns: number,
    groupSize: number,
    importance: number,
    shares: number,
    shareCount: number,
    polishes: number,
    room: number,
    scales: number,
    zeroPoints: number,
  ): void;
  compensateBlock(
    count: number,
    rows: number,
    groupSize: number,
    columns: number,
    targets: number,
    moves: number,
    shares: number,
    scales: number,
    zeroPoints: number,
    codes: number,
    errors: number,
    room: number,
  ): void;
  coverShares(
    source: number,
    count: number,
    rows: number,
    shares: number,
    shareCount: number,
    scales: number,
    zeroPoints: number,
  ): void;
  candidateErrors(
    source: number,
    count: number,
    rows: number,
    candidates: number,
    scales: number,
    zeroPoints: number,
    errors: number,
  ): void;
  candidateProducts(
    source: number,
    count: number,
    rows: number,
    candidates: number,
    scales: number,
    zeroPoints: number,
    others: number,
    same: number,
    products: number,
  ): void;
  turnErrors(
    rows: number,
    columns: number,
    weights: number,
    decoded: number,
    turnedWeights: number,
    turnedErrors: number,
    sums: number,
  ): void;
  transposeFloats(
    rows: number,
    columns: number,
    source: number,
    target: number,
    turned: number,
  ): void;
  transposeBytes(rows: number, columns: number, source: number, target: number): void;
  dotProduct(a: number, b: number, count: number): number;
  findNonFinite(type: number, at: number, count: number): number;
  factorSquare(size: number, square: number, lower: number, pivots: number): number;
  invertFactor(size: number, lower: number, pivots: number, inverse: number, solver: number): void;
}

/** Weights, decoded ones, both turned, and sums. */
export type TurnedRegions = readonly [Region, Region, Region, Region, Region];

/** The kernels of calibrated techniques. They run where they are called: what they work on is a fraction
 * of a weight at a time, and what comes between are products of matrices with threads of their own. */
export class GridKernels extends KernelMemory<GridExports> {
  /** The module's functions, all of which now mean this grid. */
  on({ bits, symmetric, scaleType, lowestZeroPoint }: CodeGrid): GridExports {
    const type = FLOAT_TYPE_NUMBERS[scaleType];
    this.exports.setCodeGrid(bits, symmetric ? 1 : 0, type, lowestZeroPoint);
    return this.exports;
  }

  /** Turns rows and their errors into columns. See assembly/errors.ts. */
  turnErrors(rows: number, columns: number, regions: TurnedRegions): void {
    const [weights, decoded, turnedWeights, turnedErrors, sums] = regions;
    this.exports.turnErrors(
      ...([rows, columns, weights.address, decoded.address] as const),
      ...([turnedWeights.address, turnedErrors.address, sums.address] as const),
    );
  }

  /** @param turned elements from the start of one column to that of the next.
   * @param first elements before the first column. */
  transposeFloats(
    rows: number,
    columns: number,
    from: Region,
    to: Region,
    turned: number = rows,
    first = 0,
  ): void {
    const target = to.address + first * Float32Array.BYTES_PER_ELEMENT;
    this.exports.transposeFloats(rows, columns, from.address, target, turned);
  }

  transposeBytes(rows: number, columns: number, from: Region, to: Region): void {
    this.exports.transposeBytes(rows, columns, from.address, to.address);
  }

  dotProduct(a: Region, b: Region, count: number): number {
    return this.exports.dotProduct(a.address, b.address, count);
  }

  /** The first of some f32 that is NaN or an infinity; -1 if none is. */
  findNonFinite({ address }: Region, count: number): number {
    return this.exports.findNonFinite(FLOAT_TYPE_NUMBERS.F32, address, count);
  }

  /** Factors a matrix; false if it is not positive definite. See assembly/factor.ts. */
  factorSquare(size: number, square: Region, lower: Region, pivots: Region): boolean {
    return this.exports.factorSquare(size, square.address, lower.address, pivots.address) !== 0;
  }

  /** Inverts a factor. See assembly/factor.ts. */
  invertFactor(size: number, lower: Region, pivots: Region, inverse: Region, solver: Region): void {
    this.exports.invertFactor(size, lower.address, pivots.address, inverse.address, solver.address);
  }
}

let compiled: WebAssembly.Module | undefined;

/** Kernels with a memory of their own, for one whose numbers stay there while it waits. */
export function ownGridKernels(): GridKernels {
  compiled ??= compileKernels();
  return new GridKernels(compiled);
}

let kernels: GridKernels | undefined;

/** Those of the calling thread. Calls do not wait for anything, so none finds another's numbers. */
export function gridKernels(): GridKernels {
  kernels ??= ownGridKernels();
  return kernels;
}
