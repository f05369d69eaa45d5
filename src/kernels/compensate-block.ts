import { type CodeGrid, gridKernels } from './grid-kernels.js';

/** Some columns of a slab of rows. All matrices lie transposed: a column's elements, one for each row of
 * the slab, follow one another. */
export interface ColumnBlock {
  /** Rows of the slab. */
  readonly width: number;
  /** Which of the slab's columns these are, in the order in which they are rounded. */
  readonly columns: Uint32Array;
  /** The numbers to come close to, `[all columns, width]`. */
  readonly targets: Float32Array;
  /** How far the errors of columns before these move each target, `[columns, width]`; nowhere if
   * undefined. */
  readonly moves: Float32Array | undefined;
  /** `[columns, columns]`: by how much of its error a column moves each later one. */
  readonly shares: Float32Array;
  /** `[groups, width]`. */
  readonly scales: Float32Array;
  readonly zeroPoints: Float32Array;
  /** Where codes go, `[all columns, width]`. */
  readonly codes: Uint8Array;
  /** Where errors go, target less what the code stands for, `[columns, width]`. */
  readonly errors: Float32Array;
}

/** What the kernel takes rows by. */
const ROW_UNIT = 8;
/** Rows whose errors the kernel keeps at hand, in f64. */
const ROOM_ROWS = 64;

/** Rounds columns to codes one after the other, each after it was moved by the errors of those before. */
export function compensateBlock(grid: CodeGrid, block: ColumnBlock): void {
  const { width, columns, targets, moves, shares, codes, errors } = block;
  const count = columns.length;
  // Rows that fill up the last unit hold whatever the memory held, and are not looked at.
  const stride = Math.ceil(width / ROW_UNIT) * ROW_UNIT;
  const groups = [...new Set(Array.from(columns, (column) => groupOf(grid, column)))];
  const size = count * stride;
  const kernels = gridKernels();
  const [target, move, share, slot, scale, zeroPoint, code, error, room] = kernels.layOut([
    size * Float32Array.BYTES_PER_ELEMENT,
    size * Float32Array.BYTES_PER_ELEMENT,
    shares.length * Float64Array.BYTES_PER_ELEMENT,
    count * Int32Array.BYTES_PER_ELEMENT,
    groups.length * stride * Float32Array.BYTES_PER_ELEMENT,
    groups.length * stride * Float32Array.BYTES_PER_ELEMENT,
    size,
    size * Float32Array.BYTES_PER_ELEMENT,
    ROOM_ROWS * count * Float64Array.BYTES_PER_ELEMENT,
  ]);
  const rowsOf = <Numbers extends Float32Array | Uint8Array>(values: Numbers, index: number) =>
    values.subarray(index * width, (index + 1) * width);

  const targetsIn = kernels.floats(target);
  const movesIn = kernels.floats(move);
  const slots = kernels.integers(slot);
  for (const [k, column] of columns.entries()) {
    targetsIn.set(rowsOf(targets, column), k * stride);
    slots[k] = groups.indexOf(groupOf(grid, column));
  }
  if (moves === undefined) movesIn.fill(0);
  else spread(moves, width, movesIn, stride);
  const [scalesIn, zeroPointsIn] = [kernels.floats(scale), kernels.floats(zeroPoint)];
  for (const [index, group] of groups.entries()) {
    scalesIn.set(rowsOf(block.scales, group), index * stride);
    zeroPointsIn.set(rowsOf(block.zeroPoints, group), index * stride);
  }
  kernels.doubles(share).set(shares);
  kernels
    .on(grid)
    .compensateBlock(
      count,
      stride,
      target.address,
      move.address,
      share.address,
      slot.address,
      scale.address,
      zeroPoint.address,
      code.address,
      error.address,
      room.address,
    );
  const codesOut = kernels.bytes(code);
  for (const [k, column] of columns.entries()) {
    codes.set(codesOut.subarray(k * stride, k * stride + width), column * width);
  }
  spread(kernels.floats(error), stride, errors, width);
}

/** Copies the rows of one matrix to another, whose rows may be longer or shorter. */
function spread(
  values: Float32Array,
  columns: number,
  target: Float32Array,
  targetColumns: number,
): void {
  if (columns === targetColumns) {
    target.set(values);
    return;
  }
  const shared = Math.min(columns, targetColumns);
  for (let row = 0; row * columns < values.length; row++) {
    const at = row * columns;
    target.set(values.subarray(at, at + shared), row * targetColumns);
  }
}

function groupOf({ groupSize }: CodeGrid, column: number): number {
  return Math.floor(column / groupSize);
}
