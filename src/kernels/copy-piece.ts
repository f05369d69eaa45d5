import type { CopyRangeResult } from './copy-range.js';
import { type OpenFile, readFully, writeFully } from './file-access.js';
import { findFirstNonFinite } from './find-non-finite.js';
import { FLOAT_BYTES, type FloatType } from './float-type.js';
import type { Kernels } from './kernel-module.js';
import { SLAB_BYTES } from './limits.js';

/** Bytes to copy from one open file to another, for one worker. */
export interface CopyPiece {
  readonly source: OpenFile;
  readonly sourceOffset: number;
  readonly target: OpenFile;
  readonly targetOffset: number;
  readonly length: number;
  readonly checkFinite: FloatType | undefined;
}

/** Copies a piece; the index of a NaN or infinity counts from the piece's own start. */
export function copyPiece(kernels: Kernels, piece: CopyPiece): CopyRangeResult {
  let nonFinite: CopyRangeResult['nonFinite'];
  for (let done = 0; done < piece.length; done += SLAB_BYTES) {
    const [region] = kernels.layOut([Math.min(SLAB_BYTES, piece.length - done)]);
    const bytes = kernels.bytes(region);
    readFully(piece.source, bytes, piece.sourceOffset + done);
    writeFully(piece.target, bytes, piece.targetOffset + done);
    if (piece.checkFinite === undefined || nonFinite !== undefined) continue;
    const found = findFirstNonFinite(kernels, region, piece.checkFinite);
    if (found === undefined) continue;
    nonFinite = { ...found, index: done / FLOAT_BYTES[piece.checkFinite] + found.index };
  }
  return nonFinite === undefined ? {} : { nonFinite };
}
