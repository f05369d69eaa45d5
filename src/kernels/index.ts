export type { CopyRangeResult, CopyRangeTask } from './copy-range.js';
export { KernelFileError, KernelTaskError, NonFiniteWeightError } from './errors.js';
export type { FileRange } from './file-range.js';
export { FLOAT_BYTES, type FloatType } from './float-type.js';
export type { KernelOptions, KernelPool } from './kernel-pool.js';
export type { QuantizationError, QuantizeRowsTask } from './quantize-rows.js';
export {
  type EncodedLayout,
  type EncodedTensor,
  encodedLayout,
  scalesPerRow,
  type WeightScheme,
} from './weight-scheme.js';
