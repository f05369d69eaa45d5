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

/** Columns that are copied at a time, so that the rows that they become stay in the cache. */
const COPIED_COLUMNS = 64;

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
    const place = { top: startOf(tile.row), left: startOf(tile.column) };
    for (let first = 0; first < tile.columns; first += COPIED_COLUMNS) {
      copyColumns(gram, columns, tile, values, place, first);
    }
  }
  return gram;
}

function copyColumns(
  gram: Float32Array,
  columns: number,
  tile: GramTile,
  values: Float32Array,
  { top, left }: { readonly top: number; readonly left: number },
  first: number,
): void {
  const most = Math.min(tile.columns, first + COPIED_COLUMNS);
  for (let row = 0; row < tile.rows; row += 1) {
    // Of a tile on the diagonal, too, one half decides.
    const end = tile.row === tile.column ? Math.min(most, row + 1) : most;
    for (let column = first; column < end; column += 1) {
      const value = values[row * tile.columns + column] ?? 0;
      gram[(top + row) * columns + left + column] = value;
      gram[(left + column) * columns + top + row] = value;
    }
  }
}
