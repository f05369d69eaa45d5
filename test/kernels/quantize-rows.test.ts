import { afterAll, describe, expect, it } from 'vitest';
import {
  createKernelPool,
  decodeFloats,
  decodeRows,
  FLOAT_BYTES,
  type FloatType,
  type IntegerBits,
  type WeightScheme,
} from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { oneOf, type Random, randomWeights, WEIGHT_KINDS, wholeNumber } from './support/random.js';
import { encodeReference } from './support/reference-encoder.js';
import { type WeightCase, Workbench } from './support/workbench.js';

const integer = (
  bits: IntegerBits,
  groupSize: number | undefined,
  symmetric: boolean,
  packed = true,
): WeightScheme => ({
  type: 'int',
  bits,
  strategy: groupSize === undefined ? 'channel' : 'group',
  groupSize,
  symmetric,
  packed,
});

const SCHEMES: Readonly<Record<string, WeightScheme>> = {
  FP8: { type: 'float', bits: 8, strategy: 'channel' },
  'int8 W8A8': integer(8, undefined, true, false),
  'int8 unpacked, group 32': integer(8, 32, true, false),
  'int8 a channel': integer(8, undefined, true),
  'int8 group 128': integer(8, 128, true),
  'int8 group 32 with zero point': integer(8, 32, false),
  'int8 a channel with zero point': integer(8, undefined, false),
  'int4 a channel': integer(4, undefined, true),
  'int4 group 128': integer(4, 128, true),
  'int4 group 32': integer(4, 32, true),
  'int4 group 8': integer(4, 8, true),
  'int4 group 40': integer(4, 40, true),
  'int4 a channel with zero point': integer(4, undefined, false),
  'int4 group 64 with zero point': integer(4, 64, false),
  'int3 group 128': integer(3, 128, true),
  'int3 group 32 with zero point': integer(3, 32, false),
  'int3 a channel with zero point': integer(3, undefined, false),
  'int2 a channel': integer(2, undefined, true),
  'int2 group 64 with zero point': integer(2, 64, false),
};

const FLOAT_TYPES: readonly FloatType[] = ['F32', 'F16', 'BF16'];

const bench = new Workbench();
const pool = createKernelPool({ threads: 2 });
afterAll(() => pool.close());

function randomColumns(random: Random, scheme: WeightScheme): number {
  const groupSize = scheme.type === 'int' ? (scheme.groupSize ?? 1) : 1;
  const most = groupSize === 1 ? oneOf(random, [5, 40, 300, 1100]) : Math.ceil(300 / groupSize);
  return groupSize * wholeNumber(random, 1, most);
}

/** Fails at the first difference; far faster than comparing long arrays element by element. */
function expectSame(
  label: string,
  got: Uint8Array | Float32Array | undefined,
  wanted: Uint8Array | Float32Array | undefined,
): void {
  expect(got?.length, `${label}: length`).toBe(wanted?.length);
  const at = wanted?.findIndex((element, i) => !Object.is(element, got?.[i])) ?? -1;
  if (at >= 0) expect(got?.[at], `${label}: element ${at}`).toBe(wanted?.[at]);
}

/** Encodes with the kernels and by the reference, and compares everything that comes out. */
async function expectSameAsReference(weight: WeightCase, label: string): Promise<void> {
  const { rows, columns, scheme, scaleType } = weight;
  const source = decodeFloats(weight.source, weight.sourceType);
  const wanted = encodeReference(source, rows, columns, scheme, scaleType);
  const got = await bench.quantize(pool, weight);
  expectSame(`${label}: scales`, got.scales, wanted.scales);
  expectSame(`${label}: zero points`, got.zeroPoints, wanted.zeroPoints);
  expectSame(`${label}: codes`, got.codes, wanted.codes);
  expect(got.restUntouched, `${label}: bytes outside the ranges`).toBe(true);

  const { codes, scales, zeroPoints } = got;
  const decoded = decodeRows({
    ...{ scheme, scaleType, rows, columns, codes, scales },
    ...(zeroPoints && { zeroPoints }),
  });
  expectSame(`${label}: decoded`, decoded, Float32Array.from(wanted.decoded));

  let squares = 0;
  let squaredErrors = 0;
  let worst = 0;
  let largest = 0;
  for (const [i, element] of source.entries()) {
    squares += element ** 2;
    largest = Math.max(largest, Math.abs(element));
    squaredErrors += (element - (wanted.decoded[i] ?? Number.NaN)) ** 2;
    worst = Math.max(worst, Math.abs(element - (decoded[i] ?? Number.NaN)));
  }
  const { error } = got;
  const relativeRms = squares === 0 ? 0 : Math.sqrt(squaredErrors / squares);
  // Errors are summed in units of the scale, each to within an f32's precision of the quotient.
  const tolerance = 1e-7 + 1e-5 * relativeRms;
  expect(Math.abs(error.relativeRms - relativeRms), `${label}: RMS`).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(error.sumSquares - squares), label).toBeLessThanOrEqual(1e-6 * squares);
  const blur = largest * 2 ** -20;
  expect(error.worstAbsolute, `${label}: worst`).toBeGreaterThanOrEqual(worst - blur);
  const place = error.worstRow * columns + error.worstColumn;
  const there = Math.abs((source[place] ?? Number.NaN) - (decoded[place] ?? Number.NaN));
  expect(error.worstAbsolute, `${label}: worst element`).toBe(there);
}

describe.each(Object.entries(SCHEMES))('quantizeRows, %s', (name, scheme) => {
  it.each(FLOAT_TYPES)('encodes %s to the bit as the definition says', async (sourceType) => {
    const random = seededRandom(
      Buffer.from(`${name}${sourceType}`).reduce((sum, c) => sum * 31 + c, 7),
    );
    for (const scaleType of FLOAT_TYPES) {
      for (const kind of WEIGHT_KINDS) {
        // Scales of numbers that large do not fit an F16; there is a test for that of its own.
        if (scaleType === 'F16' && sourceType !== 'F16' && kind === 'anyFinite') continue;
        // And next to the smallest F16 the smallest other numbers are nothing at all.
        if (scaleType === 'F16' && sourceType !== 'F16' && kind === 'subnormal') continue;
        const rows = wholeNumber(random, 1, 19);
        const columns = randomColumns(random, scheme);
        const source = randomWeights(random, sourceType, kind, rows * columns);
        const weight = { source, sourceType, rows, columns, scheme, scaleType };
        await expectSameAsReference(weight, `${kind} [${rows}, ${columns}], ${scaleType} scales`);
      }
    }
  });

  it('encodes a single element, a single row and a single column', async () => {
    const random = seededRandom(5);
    const unit = scheme.type === 'int' ? (scheme.groupSize ?? 1) : 1;
    for (const [rows, columns] of [
      [1, unit],
      [1, unit * 33],
      [41, unit],
    ] as const) {
      const source = randomWeights(random, 'BF16', 'layer', rows * columns);
      const weight = { source, sourceType: 'BF16', rows, columns, scheme } as const;
      await expectSameAsReference({ ...weight, scaleType: 'BF16' }, `[${rows}, ${columns}]`);
    }
  });

  it('encodes rows longer than a slab, and more rows than a slab has', async () => {
    const random = seededRandom(11);
    const unit = scheme.type === 'int' ? (scheme.groupSize ?? 24) : 24;
    for (const [rows, columns] of [
      [2, Math.ceil(270_000 / unit) * unit],
      [2003, Math.ceil(200 / unit) * unit],
    ] as const) {
      // Drawn once and repeated with a shift: drawing every element would take most of the time.
      const period = randomWeights(random, 'BF16', 'layer', 9973);
      const source = new Uint8Array(rows * columns * FLOAT_BYTES.BF16);
      for (let at = 0; at < source.length; at += period.length) {
        source.set(period.subarray(0, source.length - at), at);
      }
      const weight = { source, sourceType: 'BF16', rows, columns, scheme } as const;
      await expectSameAsReference({ ...weight, scaleType: 'BF16' }, `[${rows}, ${columns}]`);
    }
  });
});

describe('quantizeRows over many pieces', () => {
  it('gives the same with one thread as with four', async () => {
    const rows = 2500;
    const columns = 4096;
    const scheme = integer(4, 128, false);
    const period = randomWeights(seededRandom(3), 'BF16', 'layer', 99_991);
    const source = new Uint8Array(rows * columns * 2);
    for (let at = 0; at < source.length; at += period.length) {
      source.set(period.subarray(0, source.length - at), at);
    }
    // One wild element in the second of the pieces.
    new DataView(source.buffer).setUint16((2222 * columns + 77) * 2, 0x4049, true);
    const weight = { source, sourceType: 'BF16', rows, columns, scheme, scaleType: 'F16' } as const;
    const one = createKernelPool({ threads: 1 });
    const four = createKernelPool({ threads: 4 });
    try {
      const first = await bench.quantize(one, weight);
      const second = await bench.quantize(four, weight);
      expect(second.error).toEqual(first.error);
      expectSame('codes', second.codes, first.codes);
      expectSame('scales', second.scales, first.scales);
      expectSame('zero points', second.zeroPoints, first.zeroPoints);
      expect(first.error.worstRow).toBe(2222);
      // Decoding what was written gives the same error as the kernels' own account of it.
      const { codes, scales, zeroPoints } = first;
      const decoded = decodeRows({
        ...{ scheme, scaleType: 'F16', rows, columns, codes, scales },
        ...(zeroPoints && { zeroPoints }),
      });
      const elements = decodeFloats(source, 'BF16');
      let squaredErrors = 0;
      for (const [i, element] of elements.entries()) {
        squaredErrors += (element - (decoded[i] ?? Number.NaN)) ** 2;
      }
      expect(first.error.sumSquaredError / squaredErrors).toBeCloseTo(1, 5);
    } finally {
      await one.close();
      await four.close();
    }
  });

  it('gives an all-zero weight zero codes and no error', async () => {
    for (const scheme of Object.values(SCHEMES)) {
      const source = new Uint8Array(9 * 1280 * 2);
      const shape = { rows: 9, columns: 1280, scheme, scaleType: 'BF16' } as const;
      const { error, codes, scales, zeroPoints } = await bench.quantize(pool, {
        ...{ source, sourceType: 'BF16' },
        ...shape,
      });
      expect(error).toEqual({
        ...{ relativeRms: 0, worstAbsolute: 0, worstRow: 0, worstColumn: 0 },
        ...{ sumSquaredError: 0, sumSquares: 0 },
      });
      const decoded = decodeRows({ ...shape, codes, scales, ...(zeroPoints && { zeroPoints }) });
      expect(decoded.every((element) => element === 0)).toBe(true);
      // A scale that nothing was made for is still a number that one can divide by.
      expect(decodeFloats(scales, 'BF16').every((scale) => scale > 0)).toBe(true);
    }
  });
});
