import { type OpenFile, readFully, writeFully } from './file-access.js';
import type { Kernels } from './kernel-module.js';
import { SLAB_BYTES } from './limits.js';
import { type ScatterTarget, targetRowBytes } from './scatter-rows.js';

/** A target with its file open. */
export interface OpenTarget extends Omit<ScatterTarget, 'path'> {
  readonly file: OpenFile;
}

/** Some rows of a scattering, for one worker. */
export interface ScatterPiece {
  readonly source: OpenFile;
  /** Where the source's first row is in its file. */
  readonly sourceOffset: number;
  readonly rowBytes: number;
  readonly targets: readonly OpenTarget[];
  readonly firstRow: number;
  readonly rows: number;
}

/** Hands the rows of a piece to its targets, slab by slab. */
export function scatterPiece(kernels: Kernels, piece: ScatterPiece): void {
  const { rowBytes } = piece;
  const slabRows = Math.max(1, Math.floor(SLAB_BYTES / rowBytes));
  for (let done = 0; done < piece.rows; done += slabRows) {
    const rows = Math.min(slabRows, piece.rows - done);
    const [region, gathered] = kernels.layOut([rows * rowBytes, rows * rowBytes]);
    const bytes = kernels.bytes(region);
    const firstRow = piece.firstRow + done;
    readFully(piece.source, bytes, piece.sourceOffset + firstRow * rowBytes);
    for (const target of piece.targets) {
      writeBlock(target, { bytes, firstRow, rows, rowBytes }, kernels.bytes(gathered));
    }
  }
}

interface SlabRows {
  readonly bytes: Uint8Array;
  readonly firstRow: number;
  readonly rows: number;
  readonly rowBytes: number;
}

/** Writes the part of a target's block that lies in the slab. */
function writeBlock(target: OpenTarget, slab: SlabRows, scratch: Uint8Array): void {
  const first = Math.max(target.firstRow, slab.firstRow);
  const end = Math.min(target.firstRow + target.rows, slab.firstRow + slab.rows);
  if (first >= end) return;
  const width = targetRowBytes(target);
  const position = target.offset + (first - target.firstRow) * width;
  const start = (first - slab.firstRow) * slab.rowBytes;
  if (width === slab.rowBytes) {
    const block = slab.bytes.subarray(start, start + (end - first) * width);
    writeFully(target.file, block, position);
    return;
  }
  let filled = 0;
  for (let row = first; row < end; row += 1) {
    const rowStart = (row - slab.firstRow) * slab.rowBytes;
    for (const column of target.columns) {
      const from = rowStart + column.first;
      scratch.set(slab.bytes.subarray(from, from + column.length), filled);
      filled += column.length;
    }
  }
  writeFully(target.file, scratch.subarray(0, filled), position);
}
