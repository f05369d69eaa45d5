import type { CodeForm } from '#burnish/kernels/index.js';

/** Rows rounded to codes, one a number. */
export interface Blocks {
  readonly codes: readonly number[];
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
}

/** Where the scale of four bits around zero may put a block's largest weight. */
export const REACHES = [-8, -7.2, -8.8, 7] as const;

const LEAST_NORMAL = 2 ** -126;

/** The scales that a block may get, by what the form says. */
export function possibleScales(block: readonly number[], form: CodeForm): readonly number[] {
  const usable = (scale: number): number =>
    Math.abs(Math.fround(scale)) < LEAST_NORMAL ? 1 : Math.fround(scale);
  const least = Math.min(0, ...block);
  const most = Math.max(0, ...block);
  if (form.zeroPoints) return [usable((most - least) / (2 ** form.bits - 1))];
  const extreme = -least > most ? least : most;
  return (form.bits === 8 ? [-128] : REACHES).map((reach) => usable(extreme / Math.fround(reach)));
}

/** The squared distance of a block from what is nearest to it on a grid. */
export function gridError(
  block: readonly number[],
  scale: number,
  zeroPoint: number,
  bits: 4 | 8,
): number {
  return block.reduce((sum, weight) => {
    const code = Math.min(2 ** bits - 1, Math.max(0, Math.round(weight / scale) + zeroPoint));
    return sum + (weight - (code - zeroPoint) * scale) ** 2;
  }, 0);
}

/** Unpacks what is stored of a weight's rows, each `[rows, …]`. */
export function unpackBlocks(
  stored: {
    readonly codes: Uint8Array;
    readonly scales: Uint8Array;
    readonly zeroPoints: Uint8Array | undefined;
  },
  form: CodeForm,
  rows: number,
  columns: number,
): Blocks {
  const blocks = Math.ceil(columns / form.blockSize);
  const field = (bytes: Uint8Array, row: number, index: number): number => {
    const start = row * (bytes.length / rows);
    if (form.bits === 8) return bytes[start + index] ?? Number.NaN;
    const byte = bytes[start + Math.floor(index / 2)] ?? Number.NaN;
    return index % 2 === 0 ? byte % 16 : Math.floor(byte / 16);
  };
  const view = new DataView(
    stored.scales.buffer,
    stored.scales.byteOffset,
    stored.scales.byteLength,
  );
  const each = (count: number, value: (row: number, index: number) => number): number[] =>
    Array.from({ length: rows * count }, (_, at) => value(Math.floor(at / count), at % count));
  const { zeroPoints } = stored;
  return {
    codes: each(columns, (row, column) => field(stored.codes, row, column)),
    scales: each(blocks, (row, block) => view.getFloat32((row * blocks + block) * 4, true)),
    zeroPoints: each(blocks, (row, block) =>
      zeroPoints === undefined ? 2 ** (form.bits - 1) : field(zeroPoints, row, block),
    ),
  };
}
