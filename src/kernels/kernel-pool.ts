import type { CopyRangeResult, CopyRangeTask } from './copy-range.js';
import type { QuantizationError, QuantizeRowsTask } from './quantize-rows.js';

export interface KernelOptions {
  readonly signal?: AbortSignal;
}

/** Worker threads that run the kernels. No bytes cross threads: workers read and write the files. */
export interface KernelPool {
  quantizeRows(task: QuantizeRowsTask, options?: KernelOptions): Promise<QuantizationError>;
  copyRange(task: CopyRangeTask, options?: KernelOptions): Promise<CopyRangeResult>;
  /** SHA-256 of a whole file, in lower-case hexadecimal. */
  sha256(path: string, options?: KernelOptions): Promise<string>;
  /** Ends the threads and closes every file they hold open. */
  close(): Promise<void>;
}
