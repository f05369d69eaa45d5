import { type CodeGrid, type GridKernels, ownGridKernels } from './grid-kernels.js';
import type { Region } from './kernel-memory.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;
/** What the kernel takes rows by. */
const ROW_UNIT = 8;
/** Rows whose errors the kernel keeps at hand, in f64. */
const ROOM_ROWS = 64;
/** Columns of a block at most. */
const BLOCK_COLUMNS = 64;
/** Weights that are turned at a time, and what their rows are a multiple of unless they are the last. */
const PIECE_WEIGHTS = 2 ** 16;
const PIECE_ROW_UNIT = 16;
/** What a slab's rows may take, which is less than a kernel's memory may grow to. */
const MOST_BYTES = 48 * 2 ** 20;

/** Memory of slabs that are done, for the next: at most one. */
const spare: GridKernels[] = [];

/** Columns that are rounded one after the other. */
export interface ColumnBlock {
  /** Which of the slab's columns these are, in the order in which they are rounded. */
  readonly columns: Uint32Array;
  /** How many columns were rounded before these, whose errors go before theirs. */
  readonly first: number;
  /** Where, in `moves`, the columns' own begin: how far the errors of those before move each. */
  readonly movesFrom: number;
  /** `[columns, columns]`: by how much of its error a column moves each later one. */
  readonly shares: Float32Array;
}

/** Rows of weights, and the ranges of their groups. */
export interface SlabRows {
  /** `[rows, columns]`. */
  readonly weights: Float32Array;
  /** `[rows, groups]`, like the zero points. */
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array;
}

/**
 * Rows of weights whose columns are rounded to codes, each after it was moved by the errors of those
 * before.
 *
 * All lies transposed, a column's elements one after the other, in memory that belongs to this object
 * until it is released: `errors` and `moves` may be given to whoever multiplies matrices until then.
 */
export class RoundingSlab {
  /** From the start of one column to that of the next. Elements beyond the rows are zero. */
  readonly stride: number;
  /** Targets less what the codes stand for, in the order of rounding, `[columns, stride]`. */
  readonly errors: Float32Array;
  /** `[columns of a panel, stride]`. */
  readonly moves: Float32Array;
  readonly #grid: CodeGrid;
  readonly #rows: number;
  readonly #columns: number;
  readonly #kernels: GridKernels;
  readonly #source: Region;
  readonly #targets: Region;
  readonly #scales: Region;
  readonly #zeroPoints: Region;
  readonly #codes: Region;
  readonly #errors: Region;
  readonly #moves: Region;
  readonly #block: { readonly columns: Region; readonly shares: Region; readonly room: Region };

  /** Rows of so many columns that a slab has room for. */
  static mostRows(grid: CodeGrid, columns: number): number {
    const groups = Math.ceil(columns / grid.groupSize);
    // Targets, errors, and moves of all columns at most; scales and zero points; codes.
    const rowBytes = (3 * columns + 2 * groups) * FLOAT + columns;
    return Math.max(1, Math.floor(MOST_BYTES / (rowBytes * ROW_UNIT))) * ROW_UNIT;
  }

  /** @param panel columns that `moves` has room for. */
  constructor(grid: CodeGrid, rows: number, columns: number, panel: number) {
    this.#grid = grid;
    this.#rows = rows;
    this.#columns = columns;
    this.stride = Math.ceil(rows / ROW_UNIT) * ROW_UNIT;
    const groups = Math.ceil(columns / grid.groupSize);
    const column = this.stride * FLOAT;
    this.#kernels = spare.pop() ?? ownGridKernels();
    const [blockColumns, shares, room, source, scales, zeroPoints, targets, errors, moves, codes] =
      this.#kernels.layOut([
        BLOCK_COLUMNS * Int32Array.BYTES_PER_ELEMENT,
        BLOCK_COLUMNS ** 2 * Float64Array.BYTES_PER_ELEMENT,
        ROOM_ROWS * BLOCK_COLUMNS * Float64Array.BYTES_PER_ELEMENT,
        Math.max(PIECE_WEIGHTS, PIECE_ROW_UNIT * columns) * FLOAT,
        ...([groups * column, groups * column] as const),
        ...([columns * column, columns * column, panel * column, columns * this.stride] as const),
      ]);
    this.#block = { columns: blockColumns, shares, room };
    this.#source = source;
    this.#scales = scales;
    this.#zeroPoints = zeroPoints;
    this.#targets = targets;
    this.#errors = errors;
    this.#moves = moves;
    this.#codes = codes;
    this.errors = this.#kernels.floats(errors);
    this.moves = this.#kernels.floats(moves);
    if (rows < this.stride) {
      this.#kernels.floats(targets).fill(0);
      this.#kernels.floats(scales).fill(1);
      this.#kernels.floats(zeroPoints).fill(0);
    }
  }

  /** Takes up rows, the first of which is the slab's row `first`. */
  load(first: number, { weights, scales, zeroPoints }: SlabRows): void {
    const groups = Math.ceil(this.#columns / this.#grid.groupSize);
    this.#turn(weights, this.#columns, this.#targets, first);
    this.#turn(scales, groups, this.#scales, first);
    this.#turn(zeroPoints, groups, this.#zeroPoints, first);
  }

  /** @throws RangeError for more columns than a block has room for. */
  round({ columns, first, movesFrom, shares }: ColumnBlock): void {
    const count = columns.length;
    if (count > BLOCK_COLUMNS) throw new RangeError(`a block has ${BLOCK_COLUMNS} columns at most`);
    const at = this.#block;
    this.#kernels.integers(at.columns).set(columns);
    this.#kernels.doubles(at.shares).set(shares);
    this.#kernels
      .on(this.#grid)
      .compensateBlock(
        count,
        this.stride,
        this.#grid.groupSize,
        at.columns.address,
        this.#targets.address,
        this.#moves.address + movesFrom * this.stride * FLOAT,
        at.shares.address,
        this.#scales.address,
        this.#zeroPoints.address,
        this.#codes.address,
        this.#errors.address + first * this.stride * FLOAT,
        at.room.address,
      );
  }

  /** Writes the codes of all columns, `[rows, columns]`. The errors are no more. */
  takeCodes(codes: Uint8Array): void {
    this.#kernels.transposeBytes(this.#columns, this.stride, this.#codes, this.#errors);
    codes.set(this.#kernels.bytes(this.#errors, this.#rows * this.#columns));
  }

  /** Gives up the memory; nothing else may be asked of the slab then. */
  release(): void {
    if (spare.length === 0) spare.push(this.#kernels);
  }

  #turn(values: Float32Array | Uint8Array, columns: number, to: Region, first: number): void {
    const source = this.#kernels.floats(this.#source);
    const rows = values.length / columns;
    const pieceRows = Math.floor(source.length / columns / PIECE_ROW_UNIT) * PIECE_ROW_UNIT;
    for (let row = 0; row < rows; row += pieceRows) {
      const end = Math.min(rows, row + pieceRows);
      source.set(values.subarray(row * columns, end * columns));
      const [count, place] = [end - row, first + row];
      this.#kernels.transposeFloats(count, columns, this.#source, to, this.stride, place);
    }
  }
}
