import { blocksOf, codeRowBytes, zeroPointRowBytes } from './code-form.js';
import { decodeFloats } from './decode.js';
import { type BlockSource, type EncodeBlocksTask, SCALE_BYTES } from './encode-blocks.js';
import { NonFiniteWeightError } from './errors.js';
import { type OpenFile, readFully, writeFully } from './file-access.js';
import type { FileRange } from './file-range.js';
import { FLOAT_BYTES } from './float-type.js';
import type { Region } from './kernel-memory.js';
import type { Kernels } from './kernel-module.js';
import { SLAB_BYTES } from './limits.js';

/** Some rows of each of a task's sources, for one worker. */
export interface EncodeBlocksPiece {
  readonly task: EncodeBlocksTask;
  /** In the order of the task's. */
  readonly sources: readonly OpenFile[];
  readonly target: OpenFile;
  readonly firstRow: number;
  readonly rows: number;
}

/** Bytes that packing may read or write beyond a row. */
const SPARE_BYTES = 64;

/** Reads, rounds and writes some rows, slab by slab. Throws NonFiniteWeightError and KernelFileError. */
export function encodeBlocksPiece(kernels: Kernels, piece: EncodeBlocksPiece): void {
  const { sources, columns } = piece.task;
  const rowBytes = columns * FLOAT_BYTES.F32 * sources.length;
  const slabRows = Math.max(1, Math.floor(SLAB_BYTES / rowBytes));
  for (let done = 0; done < piece.rows; done += slabRows) {
    encodeSlab(kernels, piece, piece.firstRow + done, Math.min(slabRows, piece.rows - done));
  }
}

function encodeSlab(
  kernels: Kernels,
  { task, sources, target }: EncodeBlocksPiece,
  firstRow: number,
  rows: number,
): void {
  const { form, columns } = task;
  const turns = task.sources.length;
  const written = rows * turns;
  const rowBytes = {
    codes: codeRowBytes(form, columns),
    scales: blocksOf(form, columns) * SCALE_BYTES,
    zeroPoints: form.zeroPoints ? zeroPointRowBytes(form, columns) : 0,
  };
  const padded = blocksOf(form, columns) * form.blockSize;
  const [source, codes, scales, zeroPoints, floats, bytes] = kernels.layOut([
    rows * columns * FLOAT_BYTES.F32,
    written * rowBytes.codes,
    written * rowBytes.scales,
    written * rowBytes.zeroPoints,
    padded * FLOAT_BYTES.F32,
    padded + SPARE_BYTES,
  ]);
  for (const [turn, own] of task.sources.entries()) {
    const file = sources[turn];
    if (file === undefined) throw new Error(`${own.name} was not opened`);
    const length = columns * FLOAT_BYTES[own.type];
    const start = own.range.offset + firstRow * length;
    readFully(file, kernels.bytes(source, rows * length), start);
    const rowsOf = ({ address }: Region, size: number) => ({
      address: address + turn * size,
      stride: turns * size,
    });
    const refused = kernels.encodeBlocks({
      ...{ form, sourceType: own.type, rows, columns, source, floats, bytes },
      codes: rowsOf(codes, rowBytes.codes),
      scales: rowsOf(scales, rowBytes.scales),
      zeroPoints: form.zeroPoints ? rowsOf(zeroPoints, rowBytes.zeroPoints) : undefined,
    });
    if (refused >= 0) throw refusal(kernels, own, source, columns, firstRow, refused);
  }
  const write = (range: FileRange | undefined, region: Region, size: number): void => {
    if (range === undefined) return;
    writeFully(target, kernels.bytes(region), range.offset + firstRow * turns * size);
  };
  write(task.codes, codes, rowBytes.codes);
  write(task.scales, scales, rowBytes.scales);
  write(task.zeroPoints, zeroPoints, rowBytes.zeroPoints);
}

/** Which element of a slab's row is not finite. */
function refusal(
  kernels: Kernels,
  { name, type, firstRow }: BlockSource,
  source: Region,
  columns: number,
  slabRow: number,
  row: number,
): NonFiniteWeightError {
  const length = columns * FLOAT_BYTES[type];
  const region = { address: source.address + row * length, length };
  const weights = decodeFloats(kernels.bytes(region), type);
  const column = weights.findIndex((weight) => !Number.isFinite(weight));
  const value = weights[column] ?? Number.NaN;
  return new NonFiniteWeightError(name, firstRow + slabRow + row, column, value);
}
