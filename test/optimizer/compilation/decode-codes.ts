import { open } from 'node:fs/promises';
import type { PlannedWeight } from '#burnish/optimizer/compilation/weights/planned-weight.js';

export type PlannedCodes = Extract<PlannedWeight, { readonly kind: 'codes' }>;

/** Decodes what stands in the file of weights, by the definition of MatMulNBits' inputs: `[rows, columns]`. */
export async function decodeCodes(path: string, weight: PlannedCodes): Promise<Float32Array> {
  const file = await open(path);
  const read = async ({
    offset,
    length,
  }: PlannedCodes['codes']): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, offset);
    return bytes;
  };
  const codes = await read(weight.codes);
  const scales = new Float32Array((await read(weight.scales)).buffer);
  const zeroPoints = weight.zeroPoints === undefined ? undefined : await read(weight.zeroPoints);
  await file.close();
  const { bits, blockSize } = weight.form;
  const { rows, columns } = weight.matrix;
  const blocks = Math.ceil(columns / blockSize);
  const at = (bytes: Uint8Array, rowBytes: number, row: number, index: number): number =>
    bits === 8
      ? (bytes[row * rowBytes + index] ?? Number.NaN)
      : ((bytes[row * rowBytes + (index >> 1)] ?? Number.NaN) >> ((index & 1) * 4)) & 15;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const block = Math.floor(column / blockSize);
      const zero =
        zeroPoints === undefined
          ? 2 ** (bits - 1)
          : at(zeroPoints, Math.ceil((blocks * bits) / 8), row, block);
      const code = at(codes, (blocks * blockSize * bits) / 8, row, column);
      values[row * columns + column] = (code - zero) * (scales[row * blocks + block] ?? Number.NaN);
    }
  }
  return values;
}

/** Every weight of a compiled model that is codes, decoded, by the name of its codes in the graph without
 * their ending, and then by module: `[rows of the module, columns]`. */
export async function decodeModules(
  path: string,
  weights: readonly PlannedWeight[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Float32Array>>> {
  const all = new Map<string, ReadonlyMap<string, Float32Array>>();
  for (const weight of weights) {
    if (weight.kind !== 'codes') continue;
    const decoded = await decodeCodes(path, weight);
    const { columns, parts } = weight.matrix;
    const own = new Map<string, Float32Array>();
    let row = 0;
    for (const { modules, rows } of parts) {
      for (const [turn, { module, first }] of modules.entries()) {
        const before = own.get(module) ?? new Float32Array();
        const values = new Float32Array(Math.max(before.length, (first + rows) * columns));
        values.set(before);
        for (let index = 0; index < rows; index += 1) {
          const from = (row + index * modules.length + turn) * columns;
          values.set(decoded.subarray(from, from + columns), (first + index) * columns);
        }
        own.set(module, values);
      }
      row += rows * modules.length;
    }
    all.set(weight.codes.name.replace(/\.codes$/, ''), own);
  }
  return all;
}
