import { factorRows, PANEL_ROWS, type TriangularFactor } from '../linear-algebra/factor.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import { type FittedGrid, nearestCode } from './integer-grid.js';
import { forEachSlab, transposeRows, writeTransposed } from './slabs.js';

/** Columns whose influence on each other is worked out element by element; all others go through
 * products of matrices. It divides the rows of a factor's panel. */
const BLOCK = 32;

/**
 * Rounds a weight column by column, each after moving it to where it makes up best for the errors of
 * those rounded before (GPTQ, Frantar et al., 2022, in its LDLQ form; see `TriangularFactor`).
 *
 * @param weight the numbers to come close to, `[rows, columns]`.
 * @param factor of the Gram matrix with its rows and columns in `order`.
 * @param order the columns in the order in which they are rounded; their own order if undefined.
 * @returns codes, `[rows, columns]`, columns in their own order.
 */
export async function roundCompensating(
  algebra: LinearAlgebra,
  grid: FittedGrid,
  weight: Matrix,
  factor: TriangularFactor,
  order: Uint32Array | undefined,
  scales: GroupScales,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const codes = new Uint8Array(weight.rows * weight.columns);
  await forEachSlab(weight.rows, signal, (first, end) =>
    roundSlab({ algebra, grid, weight, factor, order, scales, signal }, first, end, codes),
  );
  return codes;
}

interface Work {
  readonly algebra: LinearAlgebra;
  readonly grid: FittedGrid;
  readonly weight: Matrix;
  readonly factor: TriangularFactor;
  readonly order: Uint32Array | undefined;
  readonly scales: GroupScales;
  readonly signal: AbortSignal;
}

async function roundSlab(work: Work, first: number, end: number, codes: Uint8Array): Promise<void> {
  const { algebra, grid, weight, factor, order, scales, signal } = work;
  const { columns } = weight;
  const width = end - first;
  const targets = transposeRows(weight, first, end);
  // Errors of what is rounded, in the order of rounding; zero where nothing is rounded yet.
  const errors = new Float32Array(columns * width);
  const slabCodes = new Uint8Array(columns * width);
  const moved = new Float64Array(width);
  const products = new Float32Array(BLOCK * width);

  for (let start = 0; start < columns; start += BLOCK) {
    signal.throwIfAborted();
    const blockEnd = Math.min(columns, start + BLOCK);
    const rows = factorRows(factor, start, blockEnd);
    const moves = products.subarray(0, rows.rows * width);
    const before = {
      rows: rows.columns,
      columns: width,
      values: errors.subarray(0, rows.columns * width),
    };
    if (start > 0) await algebra.multiply(rows, before, { into: moves });
    for (let k = start; k < blockEnd; k++) {
      const column = order?.[k] ?? k;
      const group = Math.floor(column / grid.groupSize);
      const base = (k - start) * width;
      for (let r = 0; r < width; r++) {
        moved[r] = (targets[column * width + r] ?? 0) + (moves[base + r] ?? 0);
      }
      for (let j = start; j < k; j++) {
        const share = rows.values[(k - start) * rows.columns + j] ?? 0;
        const from = j * width;
        for (let r = 0; r < width; r++) {
          moved[r] = (moved[r] ?? 0) + share * (errors[from + r] ?? 0);
        }
      }
      for (let r = 0; r < width; r++) {
        const at = (first + r) * grid.groups + group;
        const scale = scales.scales[at] ?? 0;
        const zeroPoint = scales.zeroPoints[at] ?? 0;
        const code = nearestCode(grid, moved[r] ?? 0, scale, zeroPoint);
        slabCodes[column * width + r] = code;
        errors[k * width + r] = (targets[column * width + r] ?? 0) - (code - zeroPoint) * scale;
      }
    }
  }
  writeTransposed(slabCodes, columns, first, end, codes);
}

if (PANEL_ROWS % BLOCK !== 0) throw new Error('blocks must not straddle panels');
