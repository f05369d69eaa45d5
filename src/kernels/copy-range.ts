import type { FileRange } from './file-range.js';
import type { FloatType } from './float-type.js';

/** Bytes to carry over bit for bit. Both ranges have the same length; the target file exists. */
export interface CopyRangeTask {
  /** The tensor's name, for error messages. */
  readonly name: string;
  readonly source: FileRange;
  readonly target: FileRange;
  /** Also look for NaN and infinities, reading the bytes as this type. */
  readonly checkFinite?: FloatType;
}

export interface CopyRangeResult {
  /** The first element that is not finite (index in elements), if `checkFinite` found one. */
  readonly nonFinite?: { readonly index: number; readonly kind: 'NaN' | 'Inf' };
}
