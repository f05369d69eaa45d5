import { gridKernels } from './grid-kernels.js';

/** Bytes held at a time, and as many of what they become. */
const PIECE_BYTES = 2 ** 20;

/**
 * Turns a matrix `[rows, columns]` into its columns, `[columns, rows]`.
 *
 * @param target where it goes; may be longer.
 * @param stride elements from the start of one column to that of the next.
 * @throws RangeError if it does not fit there.
 */
export function transpose<Numbers extends Float32Array | Uint8Array>(
  values: Numbers,
  columns: number,
  target: Numbers,
  stride: number = values.length / columns,
): void {
  const rows = values.length / columns;
  if ((columns - 1) * stride + rows > target.length) {
    throw new RangeError(`[${columns}, ${rows}] with ${stride} from one to the next do not fit`);
  }
  const size = values.BYTES_PER_ELEMENT;
  const pieceRows = Math.max(1, Math.min(rows, Math.floor(PIECE_BYTES / (columns * size))));
  const kernels = gridKernels();
  const [from, to] = kernels.layOut([pieceRows * columns * size, pieceRows * columns * size]);
  const isBytes = values instanceof Uint8Array;
  const [source, turned] = isBytes
    ? [kernels.bytes(from), kernels.bytes(to)]
    : [kernels.floats(from), kernels.floats(to)];
  for (let first = 0; first < rows; first += pieceRows) {
    const count = Math.min(pieceRows, rows - first);
    source.set(values.subarray(first * columns, (first + count) * columns));
    if (isBytes) kernels.transposeBytes(count, columns, from, to);
    else kernels.transposeFloats(count, columns, from, to);
    if (count === stride) {
      target.set(turned);
      continue;
    }
    for (let column = 0; column < columns; column++) {
      const own = turned.subarray(column * count, (column + 1) * count);
      target.set(own, column * stride + first);
    }
  }
}
