import { afterAll, describe, expect, it } from 'vitest';
import { createKernelPool, decodeFloat8 } from '#burnish/kernels/index.js';
import { float8Code } from './support/reference-encoder.js';
import { Workbench } from './support/workbench.js';

const LARGEST = 448;

const bench = new Workbench();
const pool = createKernelPool({ threads: 1 });
afterAll(() => pool.close());

/** The codes of numbers as they are: the row holds 448, so that its scale is 1. */
async function codesOf(numbers: readonly number[]): Promise<Uint8Array> {
  const row = Float32Array.from([...numbers, LARGEST]);
  const { codes, scales } = await bench.quantize(pool, {
    source: new Uint8Array(row.buffer),
    sourceType: 'F32',
    rows: 1,
    columns: row.length,
    scheme: { type: 'float', bits: 8, strategy: 'channel' },
    scaleType: 'F32',
  });
  expect(new Float32Array(scales.buffer)).toEqual(Float32Array.of(1));
  return codes.subarray(0, numbers.length);
}

describe('FP8 E4M3FN', () => {
  it('has the numbers that its definition lists', () => {
    // Table 1 of "FP8 Formats for Deep Learning".
    expect(decodeFloat8(0b0_1111_110)).toBe(448);
    expect(decodeFloat8(0b0_0001_000)).toBe(2 ** -6);
    expect(decodeFloat8(0b0_0000_111)).toBe(0.875 * 2 ** -6);
    expect(decodeFloat8(0b0_0000_001)).toBe(2 ** -9);
    expect(decodeFloat8(0b0_0000_000)).toBe(0);
    expect(decodeFloat8(0b1_0000_000)).toBe(-0);
    expect(decodeFloat8(0b0_1111_111)).toBeNaN();
    expect(decodeFloat8(0b1_1111_111)).toBeNaN();
    const finite = Array.from({ length: 127 }, (_, code) => decodeFloat8(code));
    expect(finite.toSorted((a, b) => a - b)).toEqual(finite);
    for (const [code, number] of finite.entries()) {
      expect(decodeFloat8(code + 0x80)).toBe(-number);
    }
  });

  it('encodes every number it has as its own code', async () => {
    const codes = Array.from({ length: 256 }, (_, code) => code).filter((c) => c % 0x80 !== 0x7f);
    expect(Array.from(await codesOf(codes.map(decodeFloat8)))).toEqual(codes);
  });

  it('rounds ties to the even code and everything else to the nearest', async () => {
    const numbers: number[] = [];
    for (let code = 0; code < 126; code++) {
      const middle = (decodeFloat8(code) + decodeFloat8(code + 1)) / 2;
      const step = middle * 2 ** -23;
      for (const number of [middle, middle - step, middle + step]) numbers.push(number, -number);
    }
    const codes = await codesOf(numbers);
    expect(Array.from(codes)).toEqual(numbers.map(float8Code));
    for (let i = 0; i < codes.length; i += 6) expect((codes[i] ?? 1) % 2).toBe(0);
  });

  it('rounds what is too small for it to a zero of the same sign', async () => {
    const tiny = 2 ** -10;
    const numbers = [tiny, -tiny, tiny * 1.0001, -tiny * 1.0001, 1e-40, -1e-40, 0, -0];
    expect(Array.from(await codesOf(numbers))).toEqual([0, 0x80, 1, 0x81, 0, 0x80, 0, 0x80]);
  });

  it('never writes the code of NaN, whichever way the scale was rounded', async () => {
    const rows = 4096;
    const columns = 3;
    const weights = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      // Magnitudes that step finely through a binade, so that scales are rounded both ways.
      weights.set([-(1 + row / rows), 1 + row / rows, 0.3], row * columns);
    }
    for (const scaleType of ['F32', 'F16', 'BF16'] as const) {
      const { codes } = await bench.quantize(pool, {
        ...{ source: new Uint8Array(weights.buffer), sourceType: 'F32', rows, columns, scaleType },
        scheme: { type: 'float', bits: 8, strategy: 'channel' },
      });
      for (let row = 0; row < rows; row++) {
        expect([codes[row * columns], codes[row * columns + 1]]).toEqual([0xfe, 0x7e]);
      }
    }
  });
});
