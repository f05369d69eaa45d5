import { transpose } from '../../kernels/index.js';

/** A part of a Gram matrix on or below its diagonal. */
export interface GramTile {
  readonly name: string;
  /** Panels of columns of X whose product it is: `XᵣᵀX꜀`. */
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}

/** Panels of at least this many columns are multiplied about as fast as the whole. */
const LEAST_PANEL = 288;

/** With four, five eighths of the products are left to do; more of them save little more. */
const MOST_PANELS = 4;

/** Widths of the panels that X's columns are cut into. */
export function gramPanels(columns: number): readonly number[] {
  const count = Math.max(1, Math.min(MOST_PANELS, Math.floor(columns / LEAST_PANEL)));
  return Array.from({ length: count }, (_, index) => startOf(index + 1) - startOf(index));

  function startOf(panel: number): number {
    return Math.floor((panel * columns) / count);
  }
}

/** What has to be computed of a Gram matrix: its other half is the same. */
export function gramTiles(columns: number): readonly GramTile[] {
  const panels = gramPanels(columns);
  return panels.flatMap((rows, row) =>
    panels
      .slice(0, row + 1)
      .map((width, column) => ({ name: `${row}.${column}`, row, column, rows, columns: width })),
  );
}

/** Puts tiles together to the whole matrix, `[columns, columns]`, its halves equal to the bit.
 * @param valuesOf each tile's numbers, row after row. */
export function joinTiles(
  columns: number,
  valuesOf: (tile: GramTile) => Float32Array,
): Float32Array {
  const panels = gramPanels(columns);
  const startOf = (panel: number): number =>
    panels.slice(0, panel).reduce((sum, width) => sum + width, 0);
  const gram = new Float32Array(columns * columns);
  for (const tile of gramTiles(columns)) {
    const values = valuesOf(tile);
    const [top, left] = [startOf(tile.row), startOf(tile.column)];
    transpose(values, tile.columns, gram.subarray(left * columns + top), columns);
    for (let row = 0; row < tile.rows; row += 1) {
      const from = row * tile.columns;
      // Of a tile on the diagonal, too, one half decides.
      const end = tile.row === tile.column ? row + 1 : tile.columns;
      gram.set(values.subarray(from, from + end), (top + row) * columns + left);
    }
  }
  return gram;
}
