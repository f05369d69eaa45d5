export type { ChunkChecksums } from './checksum-chunks.js';
export { type ChosenRanges, chooseRanges, type RangeSearch } from './choose-ranges.js';
export {
  blocksOf,
  type CodeForm,
  codeRowBytes,
  middleCode,
  zeroPointRowBytes,
} from './code-form.js';
export type { CopyRangeResult, CopyRangeTask } from './copy-range.js';
export {
  decodeColumns,
  decodeFloat8,
  decodeFloats,
  decodeHalf,
  decodeRows,
  type EncodedRows,
} from './decode.js';
export { dotProduct } from './dot-product.js';
export { type BlockSource, type EncodeBlocksTask, SCALE_BYTES } from './encode-blocks.js';
export { KernelFileError, KernelTaskError, NonFiniteWeightError } from './errors.js';
export { factorSquare, type SquareFactor } from './factor-square.js';
export type { FileRange } from './file-range.js';
export { findNonFinite } from './find-non-finite.js';
export { FLOAT_BYTES, type FloatType } from './float-type.js';
export type { CodeGrid } from './grid-kernels.js';
export {
  createKernelPool,
  type KernelOptions,
  type KernelPool,
  type KernelPoolOptions,
} from './kernel-pool.js';
export { MAX_ROW_BYTES } from './limits.js';
export type { QuantizationError, QuantizeRowsTask } from './quantize-rows.js';
export { RangeCandidates, type RangeShares } from './range-candidates.js';
export { roundScaled, SCALED_ROW_UNIT, type TurnedRows } from './round-scaled.js';
export { type ColumnBlock, RoundingSlab } from './rounding-slab.js';
export {
  type ColumnBytes,
  type ScatterRowsTask,
  type ScatterTarget,
  targetRowBytes,
} from './scatter-rows.js';
export { threadCount } from './thread-count.js';
export { transpose } from './transpose.js';
export { type TurnedErrors, turnErrors } from './turn-errors.js';
export {
  codesPerUnit,
  type EncodedLayout,
  type EncodedTensor,
  encodedLayout,
  type IntegerBits,
  scalesPerRow,
  type WeightScheme,
} from './weight-scheme.js';
