import type { CopyRangeResult } from './copy-range.js';
import { decodeFloats } from './decode.js';
import { type OpenFile, readFully, writeFully } from './file-access.js';
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
    const size = FLOAT_BYTES[piece.checkFinite];
    const found = kernels.findNonFinite(piece.checkFinite, region, region.length / size);
    if (found < 0) continue;
    const element = bytes.subarray(found * size, (found + 1) * size);
    const kind = Number.isNaN(decodeFloats(element, piece.checkFinite)[0]) ? 'NaN' : 'Inf';
    nonFinite = { index: done / size + found, kind };
  }
  return nonFinite === undefined ? {} : { nonFinite };
}
