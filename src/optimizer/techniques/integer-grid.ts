import type { CodeGrid, FloatType } from '../../kernels/index.js';
import { TechniqueError } from './errors.js';
import { roundHalfEven, roundTo, smallestScale } from './float-rounding.js';

/** The numbers that integer codes can stand for. */
export interface IntegerGrid {
  /** 2 to 8. */
  readonly bits: number;
  /** Columns that share a scale; undefined for one scale per row. */
  readonly groupSize: number | undefined;
  /** Whether every zero point is `2^(bits − 1)`. */
  readonly symmetric: boolean;
  /** Type in which scales are stored. */
  readonly scaleType: FloatType;
  /** The smallest zero point that the format can store: 1 where it stores zero points less one. */
  readonly lowestZeroPoint?: 0 | 1;
}

/** A grid for a weight of given width, its group size settled. */
export interface FittedGrid extends CodeGrid {
  readonly groups: number;
  readonly highestCode: number;
  readonly smallestScale: number;
}

/** @throws TechniqueError for a grid that makes no sense. */
export function fitGrid(grid: IntegerGrid, columns: number, subject: string): FittedGrid {
  const { bits, symmetric, scaleType } = grid;
  const groupSize = grid.groupSize ?? columns;
  if (!Number.isInteger(bits) || bits < 2 || bits > 8) {
    throw new TechniqueError(subject, `${bits} bits are asked for; 2 to 8 are supported.`);
  }
  if (!Number.isInteger(groupSize) || groupSize < 1) {
    throw new TechniqueError(subject, `the group size is ${groupSize}, but must be 1 or more.`);
  }
  return {
    bits,
    groupSize: Math.min(groupSize, columns),
    groups: Math.ceil(columns / groupSize),
    symmetric,
    scaleType,
    highestCode: 2 ** bits - 1,
    lowestZeroPoint: grid.lowestZeroPoint ?? 0,
    smallestScale: smallestScale(scaleType),
  };
}

/** The nearest scale that can be stored; never zero, so that a group of zeros decodes to zeros. */
export function storedScale(grid: FittedGrid, scale: number): number {
  return roundTo(grid.scaleType, Math.max(scale, grid.smallestScale));
}

/** The code that stands for the number nearest to `value`. */
export function nearestCode(
  grid: FittedGrid,
  value: number,
  scale: number,
  zeroPoint: number,
): number {
  const code = roundHalfEven(value / scale) + zeroPoint;
  return Math.min(Math.max(code, 0), grid.highestCode);
}
