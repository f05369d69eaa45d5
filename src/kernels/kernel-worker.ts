import { workerData } from 'piscina';
import { type ChecksumChunks, type ChunkChecksums, checksumChunks } from './checksum-chunks.js';
import { type CopyPiece, copyPiece } from './copy-piece.js';
import type { CopyRangeResult } from './copy-range.js';
import { type EncodeBlocksPiece, encodeBlocksPiece } from './encode-blocks-piece.js';
import { type HashFile, hashFile } from './hash-file.js';
import { Kernels } from './kernel-module.js';
import { captureOutcome, type Outcome } from './outcome.js';
import { type PieceErrors, type QuantizePiece, quantizePiece } from './quantize-piece.js';
import { type ScatterPiece, scatterPiece } from './scatter-piece.js';

/** What a worker is asked to do. */
export type WorkerTask =
  | ({ readonly kind: 'quantize' } & QuantizePiece)
  | ({ readonly kind: 'encode-blocks' } & EncodeBlocksPiece)
  | ({ readonly kind: 'copy' } & CopyPiece)
  | ({ readonly kind: 'scatter' } & ScatterPiece)
  | ({ readonly kind: 'hash' } & HashFile)
  | ({ readonly kind: 'checksum' } & ChecksumChunks);

/** What each kind of task results in. */
export interface WorkerResults {
  readonly quantize: PieceErrors;
  readonly 'encode-blocks': undefined;
  readonly copy: CopyRangeResult;
  readonly scatter: undefined;
  readonly hash: string | undefined;
  readonly checksum: ChunkChecksums | undefined;
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
    case 'encode-blocks':
      encodeBlocksPiece(kernels, task);
      return undefined;
    case 'copy':
      return copyPiece(kernels, task);
    case 'scatter':
      scatterPiece(kernels, task);
      return undefined;
    case 'hash':
      return hashFile(task);
    case 'checksum':
      return checksumChunks(task);
  }
}

/** The worker threads' entry: runs one task to its end, without giving way. */
export default function runTask(task: WorkerTask): Outcome<WorkerResults[WorkerTask['kind']]> {
  return captureOutcome(() => perform(task));
}
