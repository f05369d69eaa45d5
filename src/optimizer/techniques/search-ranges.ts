import { RangeCandidates, type RangeShares } from '../../kernels/index.js';
import {
  type LinearAlgebra,
  type Matrix,
  rowsOf,
  squareOf,
} from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import type { FittedGrid } from './integer-grid.js';
import { transposeRows } from './slabs.js';
import type { TechniqueContext } from './technique.js';

/** Shares of a group's range that are tried, beside the range that it has: finer where the best ones
 * are. More than the whole is tried too, since a group may have to make up for what others do. */
const SHARES = [
  ...[1.1, 1.05, 1.025, 1, 0.975, 0.95, 0.925, 0.9, 0.875, 0.85, 0.825, 0.8, 0.775, 0.75],
  ...[0.7, 0.65, 0.6, 0.55, 0.5],
];
/** With zero points the two ends of a range can give way one without the other. */
const UNEVEN_SHARES: readonly RangeShares[] = [
  ...([
    [1, 0.9],
    [0.9, 1],
    [1, 0.8],
    [0.8, 1],
    [0.9, 0.8],
    [0.8, 0.9],
  ] as const),
];
/** Passes over the groups; more hardly change anything. */
const SWEEPS = 2;
/** Rows that are worked on together: few enough that all candidates of a group stay in the cache. */
const ROWS = 256;
/** What the kernel takes rows by. */
const ROW_UNIT = 4;
/** Widest groups that are searched: the work for a weight grows with its groups' width. */
const MAX_GROUP_COLUMNS = 512;

/**
 * Weight clipping that sees the whole layer: chooses each group's range so that the layer's output errs
 * least, `tr((W − Ŵ)·G·(W − Ŵ)ᵀ)` with every weight rounded to nearest, one group after the other with
 * all others of its row as they are. AWQ (Lin et al., 2023, section 3.2) searches each group's range by
 * itself; but inputs of different groups have much in common, so what one group does to the output
 * another can take back. No step makes the error larger.
 *
 * Ranges are changed in place. Groups of more than 512 columns keep theirs.
 *
 * @param gram `[columns, columns]` of the layer's inputs.
 */
export async function searchRanges(
  grid: FittedGrid,
  weight: Matrix,
  gram: Matrix,
  ranges: GroupScales,
  { algebra, signal }: TechniqueContext,
): Promise<void> {
  if (grid.groupSize > MAX_GROUP_COLUMNS) return;
  const squares = Array.from({ length: grid.groups }, (_, group) => {
    const { first, end } = spanOf(grid, group, weight.columns);
    return squareOf(gram, first, end);
  });
  const even: readonly RangeShares[] = SHARES.map((share) => [share, share]);
  const shares = grid.symmetric ? even : [...even, ...UNEVEN_SHARES];
  const rows = Math.ceil(Math.min(weight.rows, ROWS) / ROW_UNIT) * ROW_UNIT;
  const candidates = new RangeCandidates(grid, rows, grid.groupSize, shares);
  for (let first = 0; first < weight.rows; first += ROWS) {
    const end = Math.min(weight.rows, first + ROWS);
    const slab = new Slab(grid, weight, ranges, { first, end, rows }, candidates);
    await slab.list(algebra, squares, signal);
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      if (!(await slab.sweep(algebra, gram, signal))) break;
    }
    slab.write(ranges);
  }
}

/** Scales, zero points and errors of one group's candidates, `[candidates, rows]`. */
interface GroupCandidates {
  readonly scales: Float32Array;
  readonly zeroPoints: Float32Array;
  /** What each does to the output by itself. */
  readonly own: Float32Array;
  /** Which is chosen, `[rows]`. */
  readonly chosen: Uint8Array;
}

/** Some of a weight's rows, transposed: element `[column, r]` is that of row `first + r`. */
class Slab {
  readonly #grid: FittedGrid;
  readonly #columns: number;
  readonly #first: number;
  readonly #end: number;
  /** Rows with those that fill up the last unit, which are zero. */
  readonly #rows: number;
  readonly #given: GroupScales;
  readonly #candidates: RangeCandidates;
  readonly #weights: Float32Array;
  /** `W − Ŵ`. */
  readonly #errors: Float32Array;
  readonly #pull: Float32Array;
  readonly #groups: GroupCandidates[] = [];

  constructor(
    grid: FittedGrid,
    weight: Matrix,
    given: GroupScales,
    { first, end, rows }: { readonly first: number; readonly end: number; readonly rows: number },
    candidates: RangeCandidates,
  ) {
    this.#grid = grid;
    this.#columns = weight.columns;
    this.#first = first;
    this.#end = end;
    this.#rows = rows;
    this.#given = given;
    this.#candidates = candidates;
    this.#weights = transposeRows(weight, first, end, rows);
    this.#errors = new Float32Array(this.#weights.length);
    this.#pull = new Float32Array(grid.groupSize * rows);
  }

  /** Lists every group's candidates, and what each does to the output by itself. */
  async list(
    algebra: LinearAlgebra,
    squares: readonly Matrix[],
    signal: AbortSignal,
  ): Promise<void> {
    const columns = this.#candidates.count * this.#rows;
    for (const [group, square] of squares.entries()) {
      signal.throwIfAborted();
      const weights = this.#part(this.#weights, group);
      const given = this.#givenRanges(group);
      const listed = this.#candidates.list(weights, given);
      const errors = this.#candidates.errors.subarray(0, square.rows * columns);
      const into = this.#candidates.images.subarray(0, errors.length);
      await algebra.multiply(square, { rows: square.rows, columns, values: errors }, { into });
      const own = this.#candidates.ownProducts().slice();
      this.#groups.push({ ...listed, own, chosen: new Uint8Array(this.#rows) });
      this.#part(this.#errors, group).set(this.#candidates.errorsOf(weights, given));
    }
  }

  /** Chooses for one group after the other; returns whether any choice changed. */
  async sweep(algebra: LinearAlgebra, gram: Matrix, signal: AbortSignal): Promise<boolean> {
    let changed = false;
    const [columns, rows] = [this.#columns, this.#rows];
    for (const [group, listed] of this.#groups.entries()) {
      signal.throwIfAborted();
      const weights = this.#part(this.#weights, group);
      const errors = this.#part(this.#errors, group);
      // Without the group's own errors this is what all others do to the outputs that it moves.
      errors.fill(0);
      const { first, end } = spanOf(this.#grid, group, columns);
      const others = { rows: columns, columns: rows, values: this.#errors };
      const into = this.#pull.subarray(0, weights.length);
      await algebra.multiply(rowsOf(gram, first, end), others, { into });
      this.#candidates.take(weights, listed);
      if (choose(listed, this.#candidates.products(into))) changed = true;
      errors.set(this.#candidates.errorsOf(weights, chosenOf(listed)));
    }
    return changed;
  }

  write({ scales, zeroPoints }: GroupScales): void {
    const { groups } = this.#grid;
    for (const [group, listed] of this.#groups.entries()) {
      const chosen = chosenOf(listed);
      for (let row = this.#first; row < this.#end; row++) {
        scales[row * groups + group] = chosen.scales[row - this.#first] ?? 0;
        zeroPoints[row * groups + group] = chosen.zeroPoints[row - this.#first] ?? 0;
      }
    }
  }

  /** Rows that fill up have a scale too, so that none is divided by zero. */
  #givenRanges(group: number): Pick<GroupCandidates, 'scales' | 'zeroPoints'> {
    const { groups } = this.#grid;
    const scales = new Float32Array(this.#rows).fill(1);
    const zeroPoints = new Float32Array(this.#rows);
    for (let row = this.#first; row < this.#end; row++) {
      scales[row - this.#first] = this.#given.scales[row * groups + group] ?? 1;
      zeroPoints[row - this.#first] = this.#given.zeroPoints[row * groups + group] ?? 0;
    }
    return { scales, zeroPoints };
  }

  #part(values: Float32Array, group: number): Float32Array {
    const { first, end } = spanOf(this.#grid, group, this.#columns);
    return values.subarray(first * this.#rows, end * this.#rows);
  }
}

/** Takes for every row the candidate with which the output errs least: by its own error, and twice its
 * product with what the others do. Returns whether any is another than before. */
function choose({ own, chosen }: GroupCandidates, products: Float32Array): boolean {
  const rows = chosen.length;
  let changed = false;
  for (let row = 0; row < rows; row++) {
    const errorOf = (candidate: number): number => {
      const at = candidate * rows + row;
      return (own[at] ?? 0) + 2 * (products[at] ?? 0);
    };
    const before = chosen[row] ?? 0;
    let best = before;
    let least = errorOf(before);
    for (let candidate = 0; candidate * rows < own.length; candidate++) {
      const error = errorOf(candidate);
      if (error >= least) continue;
      least = error;
      best = candidate;
    }
    if (best === before) continue;
    chosen[row] = best;
    changed = true;
  }
  return changed;
}

function chosenOf({
  scales,
  zeroPoints,
  chosen,
}: GroupCandidates): Pick<GroupCandidates, 'scales' | 'zeroPoints'> {
  const rows = chosen.length;
  const of = (table: Float32Array): Float32Array =>
    Float32Array.from(chosen, (candidate, row) => table[candidate * rows + row] ?? 0);
  return { scales: of(scales), zeroPoints: of(zeroPoints) };
}

function spanOf(
  { groupSize }: FittedGrid,
  group: number,
  columns: number,
): { readonly first: number; readonly end: number } {
  const first = group * groupSize;
  return { first, end: Math.min(columns, first + groupSize) };
}
