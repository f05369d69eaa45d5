import { describe, expect, it } from 'vitest';
import { gramPanels, gramTiles, joinTiles } from '#burnish/optimizer/forward/gram-tiles.js';

describe('tiles of a Gram matrix', () => {
  it.each([1, 287, 576, 577, 1151, 1536])('cover half of %i columns, and no more', (columns) => {
    const panels = gramPanels(columns);
    expect(panels.reduce((sum, width) => sum + width, 0)).toBe(columns);
    const area = gramTiles(columns).reduce((sum, tile) => sum + tile.rows * tile.columns, 0);
    expect(area).toBe((columns ** 2 + panels.reduce((sum, width) => sum + width ** 2, 0)) / 2);
  });

  it.each([1, 5, 576, 577, 1500])('make up the whole of %i columns', (columns) => {
    // The element in row i and column j is that of row j and column i.
    const element = (row: number, column: number): number =>
      Math.min(row, column) * columns + Math.max(row, column) + 1;
    const panels = gramPanels(columns);
    const startOf = (panel: number): number =>
      panels.slice(0, panel).reduce((sum, width) => sum + width, 0);
    const gram = joinTiles(columns, (tile) =>
      Float32Array.from({ length: tile.rows * tile.columns }, (_, at) =>
        element(
          startOf(tile.row) + Math.floor(at / tile.columns),
          startOf(tile.column) + (at % tile.columns),
        ),
      ),
    );
    const wrong = gram.findIndex(
      (value, at) => value !== element(Math.floor(at / columns), at % columns),
    );
    expect(wrong).toBe(-1);
  });
});
