import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createKernelPool,
  FLOAT_BYTES,
  type FloatType,
  KernelTaskError,
  NonFiniteWeightError,
  type WeightScheme,
} from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { elementBytes, oneOf, randomWeights, wholeNumber } from './support/random.js';
import { Workbench } from './support/workbench.js';

const bench = new Workbench();
const pool = createKernelPool({ threads: 2 });
afterAll(() => pool.close());

/** Bits that are not finite numbers: both infinities, and NaNs that are close to them and not. */
const NOT_FINITE: Readonly<Record<FloatType, readonly (readonly [number, number])[]>> = {
  F32: [
    [0x7f800000, Number.POSITIVE_INFINITY],
    [0xff800000, Number.NEGATIVE_INFINITY],
    [0x7f800001, Number.NaN],
    [0xffffffff, Number.NaN],
  ],
  F16: [
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7c01, Number.NaN],
    [0xffff, Number.NaN],
  ],
  BF16: [
    [0x7f80, Number.POSITIVE_INFINITY],
    [0xff80, Number.NEGATIVE_INFINITY],
    [0x7f81, Number.NaN],
    [0xffff, Number.NaN],
  ],
};

/** The largest finite numbers, which are none of them. */
const LARGEST: Readonly<Record<FloatType, number>> = { F32: 0x7f7fffff, F16: 0x7bff, BF16: 0x7f7f };

const SCHEMES: readonly WeightScheme[] = [
  { type: 'float', bits: 8, strategy: 'channel' },
  ...[true, false].map((symmetric) => {
    const group = { strategy: 'group', groupSize: 32 } as const;
    return { type: 'int', bits: 4, ...group, symmetric, packed: true } as const;
  }),
];

const FLOAT_TYPES: readonly FloatType[] = ['F32', 'F16', 'BF16'];

describe.each(FLOAT_TYPES)('NaN and infinities in %s', (sourceType) => {
  it('are reported with their row and column by quantizeRows', async () => {
    const random = seededRandom(17);
    for (const scheme of SCHEMES) {
      for (const [bits, value] of NOT_FINITE[sourceType]) {
        const rows = wholeNumber(random, 1, 30);
        const columns = 32 * wholeNumber(random, 1, 20);
        const source = randomWeights(random, sourceType, 'layer', rows * columns);
        const place = wholeNumber(random, 0, rows * columns - 1);
        const size = FLOAT_BYTES[sourceType];
        source.set(elementBytes([bits], sourceType), place * size);
        const weight = { source, sourceType, rows, columns, scheme, scaleType: sourceType };
        const error = await bench.quantize(pool, weight).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(NonFiniteWeightError);
        expect(error).toMatchObject({
          tensor: 'layer.weight',
          row: Math.floor(place / columns),
          column: place % columns,
          value,
        });
        expect(String(error)).toContain(`layer.weight has ${value} at row`);
      }
    }
  });

  it('are reported with their index by copyRange, which copies all the same', async () => {
    const random = seededRandom(23);
    const size = FLOAT_BYTES[sourceType];
    const count = 1_500_000;
    const source = new Uint8Array(count * size);
    const task = (bytes: Uint8Array) => {
      const placed = bench.place({
        ...{ source: bytes, sourceType, rows: 1, columns: count, scaleType: sourceType },
        scheme: { type: 'float', bits: 8, strategy: 'channel' },
      });
      const target = { path: bench.path('copy'), offset: 5, length: bytes.length };
      return { name: 'norm.weight', source: placed.source, target, checkFinite: sourceType };
    };
    await writeFile(bench.path('copy'), '');
    expect(await pool.copyRange(task(source))).toEqual({});
    source.set(elementBytes([LARGEST[sourceType]], sourceType), 123 * size);
    expect(await pool.copyRange(task(source))).toEqual({});

    for (const [bits, value] of NOT_FINITE[sourceType]) {
      const damaged = source.slice();
      const index = oneOf(random, [0, 1, count - 1, wholeNumber(random, 0, count - 1)]);
      damaged.set(elementBytes([bits], sourceType), index * size);
      damaged.set(elementBytes([bits], sourceType), (count - 1) * size);
      const kind = Number.isNaN(value) ? 'NaN' : 'Inf';
      expect(await pool.copyRange(task(damaged))).toEqual({ nonFinite: { index, kind } });
      const copied = await readFile(bench.path('copy'));
      expect(copied.subarray(5).equals(damaged)).toBe(true);
    }
  });

  it('are not seen in the largest finite numbers', async () => {
    const columns = 64;
    for (const scheme of SCHEMES) {
      const bits = Array.from({ length: columns }, (_, i) =>
        i % 3 === 0 ? 0 : LARGEST[sourceType] + (i % 2) * 2 ** (8 * FLOAT_BYTES[sourceType] - 1),
      );
      const { error } = await bench.quantize(pool, {
        ...{ source: elementBytes(bits, sourceType), sourceType, rows: 1, columns, scheme },
        scaleType: sourceType,
      });
      expect(error.relativeRms).toBeLessThan(0.1);
    }
  });
});

describe('weights beyond their scale', () => {
  it('are refused where an F16 scale would be infinite', async () => {
    const bits = Array.from({ length: 64 }, (_, i) => (i === 40 ? 0x4f00 : 0x3f80));
    const weight = {
      source: elementBytes(bits, 'BF16'),
      sourceType: 'BF16',
      rows: 2,
      columns: 32,
      scheme: { type: 'float', bits: 8, strategy: 'channel' },
    } as const;
    const refused = bench.quantize(pool, { ...weight, scaleType: 'F16' });
    await expect(refused).rejects.toThrow(KernelTaskError);
    await expect(refused).rejects.toThrow(
      'layer.weight: row 1 has weights too large for scales in F16',
    );
    const { error } = await bench.quantize(pool, { ...weight, scaleType: 'BF16' });
    expect(error.relativeRms).toBeLessThan(0.01);
  });
});
