import { decodeColumns, decodeFloats } from './decode.js';
import { KernelTaskError, NonFiniteWeightError } from './errors.js';
import { type OpenFile, readFully, writeFully } from './file-access.js';
import { FLOAT_BYTES } from './float-type.js';
import type { Region } from './kernel-memory.js';
import type { Kernels, Slab } from './kernel-module.js';
import { SLAB_BYTES } from './limits.js';
import type { QuantizeRowsTask } from './quantize-rows.js';
import { codesPerUnit, type EncodedLayout, encodedLayout, scalesPerRow } from './weight-scheme.js';

/** Some rows of a weight, for one worker. `firstRow` is a multiple of ROW_UNIT. */
export interface QuantizePiece {
  readonly task: QuantizeRowsTask;
  readonly source: OpenFile;
  readonly codes: OpenFile;
  readonly scales: OpenFile;
  readonly zeroPoints: OpenFile | undefined;
  readonly firstRow: number;
  readonly rows: number;
}

/** What encoding a piece cost. The worst error's place is in the whole weight. */
export interface PieceErrors {
  readonly sumSquaredError: number;
  readonly sumSquares: number;
  readonly worstAbsolute: number;
  readonly worstRow: number;
  readonly worstColumn: number;
}

/** Bytes that kernels may write beyond a region's end, in whole vectors. */
const SPARE_BYTES = 64;

/** Elements of a block, the kernels' unit for finding the worst error (BLOCK in assembly/error.ts). */
const BLOCK_ELEMENTS = 512;

/** A slab in memory, and the layout of what comes of it. */
interface PlacedSlab {
  readonly slab: Slab;
  readonly packedZeroPoints: Region;
  readonly groups: number;
  readonly layout: EncodedLayout;
}

/**
 * Reads, encodes and writes some rows of a weight, slab by slab. Throws NonFiniteWeightError,
 * KernelTaskError (weights beyond the scale's type) and KernelFileError.
 */
export function quantizePiece(kernels: Kernels, piece: QuantizePiece): PieceErrors {
  const { task } = piece;
  const slabRows = rowsPerSlab(task, piece.rows);
  let total: PieceErrors = {
    sumSquaredError: 0,
    sumSquares: 0,
    worstAbsolute: 0,
    worstRow: 0,
    worstColumn: 0,
  };
  for (let done = 0; done < piece.rows; done += slabRows) {
    const firstRow = piece.firstRow + done;
    const placed = placeSlab(kernels, task, Math.min(slabRows, piece.rows - done));
    readSlab(kernels, piece, placed.slab, firstRow);
    encodeSlab(kernels, task, placed, firstRow);
    writeSlab(kernels, piece, placed, firstRow);
    total = addErrors(total, kernels, placed, firstRow);
  }
  return total;
}

function rowsPerSlab(task: QuantizeRowsTask, rows: number): number {
  // Only packed zero points tie rows together; without them a long row is read alone.
  const unit = task.zeroPoints === undefined ? 1 : codesPerUnit(task.scheme.bits);
  const fitting = Math.floor(SLAB_BYTES / (task.columns * FLOAT_BYTES[task.sourceType]));
  return Math.min(rows, Math.max(unit, fitting - (fitting % unit)));
}

function placeSlab(kernels: Kernels, task: QuantizeRowsTask, rows: number): PlacedSlab {
  const { scheme, scaleType, sourceType, columns } = task;
  const layout = encodedLayout(scheme, rows, columns, scaleType);
  const groups = scalesPerRow(scheme, columns);
  const [source, codes, rowCodes, scales, zeroPoints, packedZeroPoints] = kernels.layOut([
    rows * columns * FLOAT_BYTES[sourceType],
    layout.codes.bytes + SPARE_BYTES,
    columns + SPARE_BYTES,
    layout.scales.bytes,
    rows * groups,
    layout.zeroPoints?.bytes ?? 0,
  ]);
  const places = { source, codes, rowCodes, scales, zeroPoints };
  const slab = { scheme, scaleType, sourceType, rows, columns, ...places };
  return { slab, packedZeroPoints, groups, layout };
}

function readSlab(kernels: Kernels, piece: QuantizePiece, slab: Slab, firstRow: number): void {
  const rowBytes = slab.columns * FLOAT_BYTES[slab.sourceType];
  const start = piece.task.source.offset + firstRow * rowBytes;
  readFully(piece.source, kernels.bytes(slab.source), start);
}

function encodeSlab(
  kernels: Kernels,
  task: QuantizeRowsTask,
  placed: PlacedSlab,
  firstRow: number,
): void {
  const { slab, groups, packedZeroPoints } = placed;
  const refused = kernels.quantizeSlab(slab);
  if (refused >= 0) throw refusal(kernels, task, placed, firstRow, refused);
  if (task.zeroPoints === undefined) return;
  kernels.packZeroPoints(slab.zeroPoints, slab.rows, groups, slab.scheme.bits, packedZeroPoints);
}

/** Why the group that begins at element `first` of the slab could not be given a scale. */
function refusal(
  kernels: Kernels,
  task: QuantizeRowsTask,
  placed: PlacedSlab,
  firstRow: number,
  first: number,
): Error {
  const { columns, sourceType, scaleType, source } = placed.slab;
  const row = firstRow + Math.floor(first / columns);
  const group = elements(source, first, columns / placed.groups, FLOAT_BYTES[sourceType]);
  const weights = decodeFloats(kernels.bytes(group), sourceType);
  const found = weights.findIndex((weight) => !Number.isFinite(weight));
  if (found >= 0) {
    const column = (first % columns) + found;
    return new NonFiniteWeightError(task.name, row, column, weights[found] ?? Number.NaN);
  }
  return new KernelTaskError(
    task.name,
    `row ${row} has weights too large for scales in ${scaleType}; store the scales as F32 or BF16.`,
  );
}

function writeSlab(
  kernels: Kernels,
  piece: QuantizePiece,
  placed: PlacedSlab,
  firstRow: number,
): void {
  const { task } = piece;
  const { slab, layout, packedZeroPoints } = placed;
  // The rows before this slab take up as many bytes as a weight of that many rows.
  const before = encodedLayout(task.scheme, firstRow, task.columns, task.scaleType);
  const codes = kernels.bytes(slab.codes, layout.codes.bytes);
  writeFully(piece.codes, codes, task.codes.offset + before.codes.bytes);
  writeFully(piece.scales, kernels.bytes(slab.scales), task.scales.offset + before.scales.bytes);
  if (piece.zeroPoints === undefined || task.zeroPoints === undefined) return;
  const start = task.zeroPoints.offset + (before.zeroPoints?.bytes ?? 0);
  writeFully(piece.zeroPoints, kernels.bytes(packedZeroPoints), start);
}

function addErrors(
  total: PieceErrors,
  kernels: Kernels,
  placed: PlacedSlab,
  firstRow: number,
): PieceErrors {
  const last = kernels.lastErrors();
  const sums = {
    sumSquaredError: total.sumSquaredError + last.squaredErrors,
    sumSquares: total.sumSquares + last.squares,
  };
  if (last.worstSquare <= total.worstAbsolute ** 2) return { ...total, ...sums };
  const { columns } = placed.slab;
  const worst = findWorst(kernels, placed, last.worstBlock);
  if (worst.absolute <= total.worstAbsolute) return { ...total, ...sums };
  return {
    ...sums,
    worstAbsolute: worst.absolute,
    worstRow: firstRow + Math.floor(worst.element / columns),
    worstColumn: worst.element % columns,
  };
}

/**
 * The worst element of the block that begins at element `block`, found by decoding what is about
 * to be stored.
 */
function findWorst(
  kernels: Kernels,
  placed: PlacedSlab,
  block: number,
): { readonly element: number; readonly absolute: number } {
  const { slab, groups, packedZeroPoints } = placed;
  const { scheme, sourceType, scaleType, rows, columns } = slab;
  const groupSize = columns / groups;
  const column = block % columns;
  const groupEnd = column - (column % groupSize) + groupSize;
  const end = Math.min(column + BLOCK_ELEMENTS, groupEnd);

  const source = elements(slab.source, block, end - column, FLOAT_BYTES[sourceType]);
  const weights = decodeFloats(kernels.bytes(source), sourceType);
  const zeroPoints = kernels.bytes(packedZeroPoints);
  const encoded = {
    ...{ scheme, scaleType, rows, columns },
    codes: kernels.bytes(slab.codes),
    scales: kernels.bytes(slab.scales),
    ...(zeroPoints.byteLength > 0 ? { zeroPoints } : {}),
  };
  const decoded = decodeColumns(encoded, Math.floor(block / columns), column, end);
  let element = block;
  let absolute = 0;
  for (let i = 0; i < weights.length; i++) {
    const distance = Math.abs((weights[i] ?? Number.NaN) - (decoded[i] ?? Number.NaN));
    if (distance <= absolute) continue;
    element = block + i;
    absolute = distance;
  }
  return { element, absolute };
}

/** The part of a region that holds `count` elements of `bytes` each, from element `first` on. */
function elements(region: Region, first: number, count: number, bytes: number): Region {
  return { address: region.address + first * bytes, length: count * bytes };
}
