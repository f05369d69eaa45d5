import { afterAll, describe, expect, test } from 'vitest';
import { decodeFloat8, decodeFloats, decodeHalf, type FloatType } from '#burnish/kernels/index.js';
import { floatBytes } from '#burnish/optimizer/formats/packed-tensors.js';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { chooseScales } from '#burnish/optimizer/techniques/choose-scales.js';
import { decodeWeight } from '#burnish/optimizer/techniques/decode-weight.js';
import { roundTo } from '#burnish/optimizer/techniques/float-rounding.js';
import { encodeFloat8 } from '#burnish/optimizer/techniques/float8.js';
import { fp8Static } from '#burnish/optimizer/techniques/fp8-static.js';
import { fitGrid, nearestCode } from '#burnish/optimizer/techniques/integer-grid.js';
import { familyOf, randomInputs, randomMatrix } from './numbers.js';

const algebra = createLinearAlgebra(1);
const context = { algebra, signal: new AbortController().signal };
afterAll(() => algebra.close());

describe('rounding to a float type', () => {
  const halves = Array.from({ length: 0x7c00 }, (_, bits) => decodeHalf(bits));

  test('gives the nearest half-precision number, ties to even', () => {
    for (let bits = 0; bits + 1 < halves.length; bits += 7) {
      const [low = 0, high = 0] = [halves[bits], halves[bits + 1]];
      const middle = (low + high) / 2;
      expect(roundTo('F16', low)).toBe(low);
      expect(roundTo('F16', middle)).toBe(bits % 2 === 0 ? low : high);
      expect(roundTo('F16', -(middle + (high - low) / 8))).toBe(-high);
    }
    expect(roundTo('F16', 1e9)).toBe(65504);
    expect(roundTo('BF16', 1 + 2 ** -8)).toBe(1);
    expect(roundTo('BF16', 1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(roundTo('F32', 0.1)).toBe(Math.fround(0.1));
    expect(roundTo('F16', 0)).toBe(0);
  });

  test.each(['F16', 'BF16', 'F32'] as const)(
    'is undone by nothing but %s bytes',
    (type: FloatType) => {
      const random = seededRandom(3);
      const values = Float32Array.from({ length: 500 }, () =>
        roundTo(type, (random() - 0.5) * 2 ** Math.floor(30 * random() - 22)),
      );
      expect(decodeFloats(floatBytes(values, type), type)).toEqual(values);
    },
  );
});

describe('FP8', () => {
  test('codes are those of the nearest number, ties to the even code', () => {
    const numbers = Array.from({ length: 0x7f }, (_, code) => decodeFloat8(code));
    for (let code = 0; code + 1 < numbers.length; code++) {
      const [low = 0, high = 0] = [numbers[code], numbers[code + 1]];
      const middle = (low + high) / 2;
      expect(encodeFloat8(low)).toBe(code);
      expect(encodeFloat8(middle)).toBe(code % 2 === 0 ? code : code + 1);
      expect(encodeFloat8(middle * 1.0001)).toBe(code + 1);
      expect(encodeFloat8(-middle * 0.9999)).toBe(code | 0x80);
    }
    expect(encodeFloat8(1e9)).toBe(0x7e);
    expect(decodeFloat8(encodeFloat8(-460))).toBe(-448);
  });

  test('weights and inputs reach the largest number exactly where they are largest', async () => {
    const random = seededRandom(8);
    const inputs = randomInputs(random, 40, 24);
    const family = familyOf(inputs, [randomMatrix(random, 6, 24)]);
    const largest = Math.max(...inputs.values.map(Math.abs));
    for (const weightScales of ['tensor', 'row'] as const) {
      const { layers } = await fp8Static({ weightScales, scaleType: 'F32' }).encode(
        family,
        context,
      );
      const [layer] = layers;
      if (layer?.weight.kind !== 'float8') throw new Error('it is not FP8');
      expect(layer.weight.scales.length).toBe(weightScales === 'row' ? 6 : 1);
      expect((layer.weight.inputScale ?? 0) * 448).toBeCloseTo(largest, 4);
      expect(layer.error.output).toBeLessThan(0.05);
      const decoded = decodeWeight(layer.weight).values;
      for (const [at, value] of family.weights[0]?.values.entries() ?? []) {
        // Half a unit in the last of four bits, or of the smallest step.
        const step =
          (layer.weight.scales[weightScales === 'row' ? Math.floor(at / 24) : 0] ?? 0) / 1024;
        expect(Math.abs((decoded[at] ?? 0) - value)).toBeLessThanOrEqual(
          Math.max(Math.abs(value) / 16, step) * 1.00001,
        );
      }
    }
  });

  test('of an input that was never anything but zero is told of', async () => {
    const inputs = { rows: 4, columns: 8, values: new Float32Array(32) };
    const family = familyOf(inputs, [randomMatrix(seededRandom(1), 2, 8)]);
    const { layers, notes } = await fp8Static({ weightScales: 'row', scaleType: 'BF16' }).encode(
      family,
      context,
    );
    expect(notes).toEqual(['family: its input was zero throughout calibration.']);
    expect(layers[0]?.error.output).toBe(0);
  });
});

describe('integer grids', () => {
  test.each([
    [2, true],
    [3, false],
    [4, true],
    [4, false],
    [8, true],
  ])('of %i bits (symmetric: %s) cover the range to half a step', (bits, symmetric) => {
    const weight = randomMatrix(seededRandom(bits), 5, 50);
    const grid = fitGrid({ bits, groupSize: 16, symmetric, scaleType: 'F32' }, 50, 'test');
    expect(grid.groups).toBe(4);
    const { scales, zeroPoints } = chooseScales(
      grid,
      weight,
      'cover',
      new Float32Array(50).fill(1),
    );
    for (const [at, value] of weight.values.entries()) {
      const group = Math.floor(at / 50) * 4 + Math.floor((at % 50) / 16);
      const [scale = 0, zeroPoint = 0] = [scales[group], zeroPoints[group]];
      const code = nearestCode(grid, value, scale, zeroPoint);
      expect(code).toBeGreaterThanOrEqual(0);
      expect(code).toBeLessThan(2 ** bits);
      // Rounding a zero point may cost another half step at the ends.
      const worst = symmetric ? 0.5 : 1;
      expect(Math.abs((code - zeroPoint) * scale - value)).toBeLessThanOrEqual(
        scale * worst * 1.0001,
      );
    }
  });

  test('search finds no worse a range than the whole one, for the weights it is told', () => {
    const weight = randomMatrix(seededRandom(14), 20, 64);
    const importance = Float32Array.from({ length: 64 }, (_, c) => (c % 7) ** 2);
    const grid = fitGrid(
      { bits: 2, groupSize: 32, symmetric: false, scaleType: 'F16' },
      64,
      'test',
    );
    const error = (choice: 'cover' | 'search'): number => {
      const { scales, zeroPoints } = chooseScales(grid, weight, choice, importance);
      return weight.values.reduce((sum, value, at) => {
        const group = Math.floor(at / 32);
        const [scale = 0, zeroPoint = 0] = [scales[group], zeroPoints[group]];
        const decoded = (nearestCode(grid, value, scale, zeroPoint) - zeroPoint) * scale;
        return sum + (importance[at % 64] ?? 0) * (decoded - value) ** 2;
      }, 0);
    };
    expect(error('search')).toBeLessThan(0.9 * error('cover'));
  });

  test('keep zero points above zero where the format asks for that, at no loss of range', () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => (i + 1) / 32);
    const weight = { rows: 1, columns: 32, values };
    const one = { bits: 4, groupSize: 32, symmetric: false, scaleType: 'F16' } as const;
    const grid = fitGrid({ ...one, lowestZeroPoint: 1 }, 32, 'test');
    const { scales, zeroPoints } = chooseScales(grid, weight, 'cover', values);
    expect(zeroPoints[0]).toBe(1);
    expect((15 - 1) * (scales[0] ?? 0)).toBeCloseTo(1, 3);
    expect(chooseScales(fitGrid(one, 32, 'test'), weight, 'cover', values).zeroPoints[0]).toBe(0);
  });

  test('that make no sense are refused', () => {
    const grid = { bits: 4, groupSize: 32, symmetric: true, scaleType: 'F16' } as const;
    expect(() => fitGrid({ ...grid, bits: 1 }, 8, 'q_proj')).toThrow(
      'q_proj: 1 bits are asked for',
    );
    expect(() => fitGrid({ ...grid, groupSize: 0 }, 8, 'q_proj')).toThrow('the group size is 0');
    expect(fitGrid({ ...grid, groupSize: undefined }, 100, 'q_proj')).toMatchObject({
      groupSize: 100,
      groups: 1,
    });
  });
});
