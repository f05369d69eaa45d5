import { workerData } from 'piscina';
import { type CopyPiece, copyPiece } from './copy-piece.js';
import type { CopyRangeResult } from './copy-range.js';
import { type HashFile, hashFile } from './hash-file.js';
import { Kernels } from './kernel-module.js';
import { captureOutcome, type Outcome } from './outcome.js';
import { type PieceErrors, type QuantizePiece, quantizePiece } from './quantize-piece.js';

/** What a worker is asked to do. */
export type WorkerTask =
  | ({ readonly kind: 'quantize' } & QuantizePiece)
  | ({ readonly kind: 'copy' } & CopyPiece)
  | ({ readonly kind: 'hash' } & HashFile);

/** What each kind of task results in. */
export interface WorkerResults {
  readonly quantize: PieceErrors;
  readonly copy: CopyRangeResult;
  readonly hash: string | undefined;
}

/** Handed to every worker at its start. */
export interface WorkerSetup {
  readonly module: WebAssembly.Module;
}

const setup: WorkerSetup = workerData;
const kernels = new Kernels(setup.module);

function perform(task: WorkerTask): WorkerResults[WorkerTask['kind']] {
  switch (task.kind) {
    case 'quantize':
      return quantizePiece(kernels, task);
    case 'copy':
      return copyPiece(kernels, task);
    case 'hash':
      return hashFile(task);
  }
}

/** The worker threads' entry: runs one task to its end, without giving way. */
export default function runTask(task: WorkerTask): Outcome<WorkerResults[WorkerTask['kind']]> {
  return captureOutcome(() => perform(task));
}
