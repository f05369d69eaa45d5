import { transpose } from '../../kernels/index.js';
import {
  type LinearAlgebra,
  type Matrix,
  rowsOf,
  squareOf,
} from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import { type FittedGrid, nearestCode, storedScale } from './integer-grid.js';
import { forEachSlab, transposeRows } from './slabs.js';
import type { TechniqueContext } from './technique.js';

export interface RefineSettings {
  /** Most passes over the columns. */
  readonly sweeps: number;
  /** Whether scales are fitted too, rather than codes alone. */
  readonly scales: boolean;
}

/** A weight with what it was rounded to. */
export interface RoundedWeight {
  readonly grid: FittedGrid;
  readonly weight: Matrix;
  /** `[rows, columns]`. */
  readonly codes: Uint8Array;
  readonly scales: GroupScales;
}

/** Columns whose influence on each other is followed element by element. */
const BLOCK = 128;
/** A pass that changes a smaller share of the codes than this is the last one. */
const SETTLED = 1 / 1000;
/** How far one step may move a scale; a group that asks for more is nearly zero on these inputs. */
const LARGEST_STEP = 2;

/**
 * Makes `tr((W − Ŵ)·G·(W − Ŵ)ᵀ)` smaller by coordinate descent: each group's scale moves to where the
 * error is least with all codes as they are, then each code with all others as they are. No step makes
 * the error larger. Codes and scales are changed in place.
 *
 * @param gram positive definite.
 */
export async function refine(
  rounded: RoundedWeight,
  gram: Matrix,
  settings: RefineSettings,
  context: TechniqueContext,
): Promise<void> {
  await forEachSlab(rounded.weight.rows, context.signal, async (first, end) => {
    const slab = new Slab(rounded, first, end);
    await slab.refine(gram, settings, context);
    slab.write(rounded);
  });
}

/** A slab's weights, transposed: element `[column, r]` is that of row `first + r`. */
class Slab {
  readonly #grid: FittedGrid;
  readonly #columns: number;
  readonly #width: number;
  readonly #first: number;
  readonly #end: number;
  readonly #targets: Float32Array;
  readonly #codes: Uint8Array;
  /** `[groups, width]`. */
  readonly #scales: Float32Array;
  readonly #zeroPoints: Uint8Array;
  /** `W − Ŵ`. */
  readonly #errors: Float32Array;
  /** Room for what is computed for one group at a time. */
  readonly #room: {
    readonly pull: Float32Array;
    readonly steps: Float32Array;
    readonly images: Float32Array;
  };

  constructor({ grid, weight, codes, scales: given }: RoundedWeight, first: number, end: number) {
    const { columns } = weight;
    const { scales, zeroPoints } = given;
    const width = end - first;
    this.#grid = grid;
    this.#columns = columns;
    this.#width = width;
    this.#first = first;
    this.#end = end;
    this.#targets = transposeRows(weight, first, end);
    this.#codes = new Uint8Array(columns * width);
    this.#scales = new Float32Array(grid.groups * width);
    this.#zeroPoints = new Uint8Array(grid.groups * width);
    transpose(codes.subarray(first * columns, end * columns), columns, this.#codes);
    for (let r = 0; r < width; r++) {
      for (let group = 0; group < grid.groups; group++) {
        const at = (first + r) * grid.groups + group;
        this.#scales[group * width + r] = scales[at] ?? 0;
        this.#zeroPoints[group * width + r] = zeroPoints[at] ?? 0;
      }
    }
    this.#errors = new Float32Array(columns * width);
    const widest = Math.min(columns, Math.max(grid.groupSize, BLOCK)) * width;
    this.#room = {
      pull: new Float32Array(widest),
      steps: new Float32Array(widest),
      images: new Float32Array(widest),
    };
    for (let column = 0; column < columns; column++) this.#renewErrors(column);
  }

  async refine(
    gram: Matrix,
    { sweeps, scales }: RefineSettings,
    { algebra, signal }: TechniqueContext,
  ): Promise<void> {
    const size = this.#columns * this.#width;
    for (let sweep = 0; sweep < sweeps; sweep++) {
      let changes = 0;
      for (let group = 0; group < this.#grid.groups; group++) {
        signal.throwIfAborted();
        const pull = scales ? await this.#fitScales(algebra, gram, group) : undefined;
        changes += await this.#fitCodes(algebra, gram, group, pull);
      }
      if (changes < size * SETTLED) return;
    }
  }

  write({ codes, scales: { scales } }: RoundedWeight): void {
    const [columns, { groups }] = [this.#columns, this.#grid];
    const own = codes.subarray(this.#first * columns, this.#end * columns);
    transpose(this.#codes, this.#width, own);
    for (let r = 0; r < this.#width; r++) {
      for (let group = 0; group < groups; group++) {
        scales[(this.#first + r) * groups + group] = this.#scales[group * this.#width + r] ?? 0;
      }
    }
  }

  /** Moves a group's scales to where the error is least: by `cᵀGe / cᵀGc` for codes c, errors e.
   * Returns the group's part of `G·E` as it is then. */
  async #fitScales(algebra: LinearAlgebra, gram: Matrix, group: number): Promise<Float32Array> {
    const width = this.#width;
    const { first, end } = this.#span(group);
    const count = end - first;
    const pull = await this.#pull(algebra, gram, first, end);
    const steps = this.#room.steps.subarray(0, count * width);
    for (let i = 0; i < count; i++) {
      for (let r = 0; r < width; r++) {
        const zeroPoint = this.#zeroPoints[group * width + r] ?? 0;
        steps[i * width + r] = (this.#codes[(first + i) * width + r] ?? 0) - zeroPoint;
      }
    }
    const images = this.#room.images.subarray(0, count * width);
    const codes = { rows: count, columns: width, values: steps };
    await algebra.multiply(squareOf(gram, first, end), codes, { into: images });
    const pulls = new Float64Array(width);
    const squares = new Float64Array(width);
    for (let at = 0; at < steps.length; ) {
      for (let r = 0; r < width; r++, at++) {
        const step = steps[at] ?? 0;
        pulls[r] = (pulls[r] ?? 0) + step * (pull[at] ?? 0);
        squares[r] = (squares[r] ?? 0) + step * (images[at] ?? 0);
      }
    }
    const moves = new Float64Array(width);
    for (let r = 0; r < width; r++) {
      const at = group * width + r;
      const scale = this.#scales[at] ?? 0;
      const along = squares[r] ?? 0;
      if (!(along > 0)) continue;
      const best = scale + (pulls[r] ?? 0) / along;
      if (best < scale / LARGEST_STEP || best > scale * LARGEST_STEP) continue;
      const stored = storedScale(this.#grid, best);
      // Rounding may overshoot so far that the scale was better where it was.
      if (Math.abs(stored - best) >= Math.abs(scale - best)) continue;
      this.#scales[at] = stored;
      moves[r] = stored - scale;
    }
    for (let column = first; column < end; column++) this.#renewErrors(column);
    for (let at = 0; at < pull.length; ) {
      for (let r = 0; r < width; r++, at++) {
        pull[at] = (pull[at] ?? 0) - (moves[r] ?? 0) * (images[at] ?? 0);
      }
    }
    return pull;
  }

  /** Moves each of a group's codes to where the error is least; returns how many changed.
   * @param known the group's part of `G·E`, if it is at hand. */
  async #fitCodes(
    algebra: LinearAlgebra,
    gram: Matrix,
    group: number,
    known: Float32Array | undefined,
  ): Promise<number> {
    const { first, end } = this.#span(group);
    let changes = 0;
    for (let start = first; start < end; start += BLOCK) {
      const blockEnd = Math.min(end, start + BLOCK);
      // Codes of earlier blocks have changed what is known of later ones.
      const pull =
        known !== undefined && start === first
          ? known
          : await this.#pull(algebra, gram, start, blockEnd);
      for (let column = start; column < blockEnd; column++) {
        changes += this.#fitColumn(gram, group, column, start, blockEnd, pull);
      }
    }
    return changes;
  }

  #fitColumn(
    gram: Matrix,
    group: number,
    column: number,
    start: number,
    blockEnd: number,
    pull: Float32Array,
  ): number {
    const width = this.#width;
    const gramRow = column * this.#columns;
    const diagonal = gram.values[gramRow + column] ?? 1;
    let changes = 0;
    for (let r = 0; r < width; r++) {
      const at = column * width + r;
      const scale = this.#scales[group * width + r] ?? 0;
      const zeroPoint = this.#zeroPoints[group * width + r] ?? 0;
      const before = this.#codes[at] ?? 0;
      const decoded = (before - zeroPoint) * scale;
      const best = decoded + (pull[(column - start) * width + r] ?? 0) / diagonal;
      const code = nearestCode(this.#grid, best, scale, zeroPoint);
      if (code === before) continue;
      changes++;
      this.#codes[at] = code;
      const move = (code - before) * scale;
      this.#errors[at] = (this.#targets[at] ?? 0) - (code - zeroPoint) * scale;
      for (let other = column + 1; other < blockEnd; other++) {
        const to = (other - start) * width + r;
        pull[to] = (pull[to] ?? 0) - (gram.values[gramRow + other] ?? 0) * move;
      }
    }
    return changes;
  }

  /** Rows `first` to `end` of `G·E`: half the slope of the error in these columns, with its sign turned. */
  async #pull(
    algebra: LinearAlgebra,
    gram: Matrix,
    first: number,
    end: number,
  ): Promise<Float32Array> {
    const errors = { rows: this.#columns, columns: this.#width, values: this.#errors };
    const into = this.#room.pull.subarray(0, (end - first) * this.#width);
    return (await algebra.multiply(rowsOf(gram, first, end), errors, { into })).values;
  }

  #span(group: number): { readonly first: number; readonly end: number } {
    const first = group * this.#grid.groupSize;
    return { first, end: Math.min(this.#columns, first + this.#grid.groupSize) };
  }

  #renewErrors(column: number): void {
    const width = this.#width;
    const group = Math.floor(column / this.#grid.groupSize);
    for (let r = 0; r < width; r++) {
      const at = column * width + r;
      const step = (this.#codes[at] ?? 0) - (this.#zeroPoints[group * width + r] ?? 0);
      this.#errors[at] = (this.#targets[at] ?? 0) - step * (this.#scales[group * width + r] ?? 0);
    }
  }
}
