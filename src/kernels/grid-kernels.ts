import { FLOAT_TYPE_NUMBERS, type FloatType } from './float-type.js';
import { compileKernels, KernelMemory, type MemoryExports } from './kernel-memory.js';

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
    targets: number,
    moves: number,
    shares: number,
    slots: number,
    scales: number,
    zeroPoints: number,
    codes: number,
    errors: number,
    room: number,
  ): void;
}

/** The kernels of calibrated techniques. They run where they are called: what they work on is a fraction
 * of a weight at a time, and what comes between are products of matrices with threads of their own. */
export class GridKernels extends KernelMemory<GridExports> {
  /** The module's functions, all of which now mean this grid. */
  on({ bits, symmetric, scaleType, lowestZeroPoint }: CodeGrid): GridExports {
    const type = FLOAT_TYPE_NUMBERS[scaleType];
    this.exports.setCodeGrid(bits, symmetric ? 1 : 0, type, lowestZeroPoint);
    return this.exports;
  }
}

let kernels: GridKernels | undefined;

/** Those of the calling thread. Calls do not wait for anything, so none finds another's numbers. */
export function gridKernels(): GridKernels {
  kernels ??= new GridKernels(compileKernels());
  return kernels;
}
