import { CliError, EXIT_STATUS } from './errors.js';
import { roundHalfEven } from './round-half-even.js';
import { scalarText } from './scalar-text.js';
import { textWidth } from './text-width.js';
import type { WireValue } from './wire-value.js';

/** Spaces that every cell has beside its text, left and right together. */
const CELL_PADDING = 4;

/** One box of a table: a title, perhaps column headings, and rows. */
export class TableSection {
  headings: readonly string[] = [];
  readonly rows: string[][] = [];
  #columnCount: number | undefined;
  /** The widest text of every column. */
  #textWidths: number[] = [];

  constructor(
    readonly title: string,
    /** How deep the section is nested; each level is one more bar at both edges. */
    readonly depth: number,
  ) {}

  setHeadings(headings: readonly string[]): void {
    this.#widen(headings);
    this.#columnCount ??= headings.length;
    this.headings = headings;
  }

  /** @throws CliError where the row has more or fewer cells than the rows before it. */
  addRow(values: readonly WireValue[]): void {
    this.#columnCount ??= values.length;
    if (values.length !== this.#columnCount) {
      throw notATable(
        `Row should have ${this.#columnCount} elements, instead it has ${values.length}`,
      );
    }
    const cells = values.map(scalarText);
    this.#widen(cells);
    this.rows.push(cells);
  }

  /** The width that the section needs, its edges and those of the sections around it included. */
  get totalWidth(): number {
    const edges = 2 + 2 * this.depth;
    const columns = this.#textWidths.reduce((sum, width) => sum + width + CELL_PADDING, 0);
    return edges + Math.max(textWidth(this.title), columns);
  }

  /** The widths of the columns, scaled so that together they are `totalWidth`. */
  columnWidths(totalWidth: number): readonly number[] {
    const widths = this.#textWidths.map((width) => width + CELL_PADDING);
    const natural = widths.reduce((sum, width) => sum + width, 0);
    const scale = totalWidth / natural;
    const scaled = widths.map((width) => roundHalfEven(scale * width));
    // Rounding leaves the sum a little off; the first columns give, the last ones take.
    let excess = scaled.reduce((sum, width) => sum + width, 0) - totalWidth;
    while (excess !== 0 && scaled.length > 0) {
      const step = Math.sign(excess);
      const order = step > 0 ? [...scaled.keys()] : [...scaled.keys()].reverse();
      for (const index of order) {
        scaled[index] = (scaled[index] ?? 0) - step;
        excess -= step;
        if (excess === 0) break;
      }
    }
    return scaled;
  }

  /** A section of one row turned on its side: a row for each column, the heading beside the cell. */
  toVertical(): TableSection {
    const [row] = this.rows;
    if (this.rows.length !== 1 || row === undefined || this.headings.length === 0) return this;
    const section = new TableSection(this.title, this.depth);
    for (const [index, heading] of this.headings.entries()) {
      const cell = row[index];
      if (cell !== undefined) section.addRow([heading, cell]);
    }
    return section;
  }

  #widen(cells: readonly string[]): void {
    if (this.#textWidths.length === 0) {
      this.#textWidths = cells.map(textWidth);
      return;
    }
    for (const [index, cell] of cells.entries()) {
      const width = this.#textWidths[index];
      if (width === undefined) {
        throw notATable(`A row of ${this.#textWidths.length} columns can't have ${cells.length}`);
      }
      this.#textWidths[index] = Math.max(width, textWidth(cell));
    }
  }
}

/** The query gave something that has no form as a table. */
export const notATable = (message: string) => new CliError(message, EXIT_STATUS.failure);
