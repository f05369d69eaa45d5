import { afterAll, describe, expect, test } from 'vitest';
import type { Matrix } from '#burnish/optimizer/linear-algebra/linear-algebra.js';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { awq } from '#burnish/optimizer/techniques/awq.js';
import { decodeWeight } from '#burnish/optimizer/techniques/decode-weight.js';
import { foldScales, scaleFamily } from '#burnish/optimizer/techniques/fold-scales.js';
import { smoothQuant } from '#burnish/optimizer/techniques/smoothquant.js';
import type { Family, Preceding } from '#burnish/optimizer/techniques/technique.js';
import { familyOf, outputDistance, randomInputs, randomMatrix } from './numbers.js';

const { signal } = new AbortController();
const algebra = createLinearAlgebra(2);
const context = { algebra, signal };
afterAll(() => algebra.close());

const GRID = { bits: 3, groupSize: 16, symmetric: false, scaleType: 'F16' } as const;

function norm(weight: Float32Array, addsOne = false): Preceding & { readonly kind: 'norm' } {
  const name = 'input_layernorm';
  return { kind: 'norm', name, weight, addsOne, storedAs: 'BF16', alsoFeeds: ['router'] };
}

function times(inputs: Matrix, factor: (channel: number) => number): Matrix {
  const values = inputs.values.map((x, at) => x * factor(at % inputs.columns));
  return { ...inputs, values };
}

describe('folding', () => {
  test.each([false, true])(
    'into a norm (1 + w: %s) changes no output, rounding of the norm included',
    (addsOne) => {
      const random = seededRandom(5);
      const weight = Float32Array.from(
        { length: 24 },
        () => 2 ** -4 * Math.floor(20 * random() - 4),
      );
      const wanted = Float32Array.from({ length: 24 }, () => Math.exp(2 * random() - 1));
      const { factors, folds } = foldScales(norm(weight, addsOne), wanted, 'family');
      const [folded, router] = folds;
      if (folded?.kind !== 'norm') throw new Error('the norm is not folded into');
      expect(router).toEqual({ kind: 'columns', module: 'router', factors });
      for (const [channel, before] of weight.entries()) {
        const offset = addsOne ? 1 : 0;
        const after = folded.weight[channel] ?? Number.NaN;
        // What is stored is a BF16 number, and the factor makes up for it exactly.
        expect(new Uint32Array(Float32Array.of(after).buffer)[0] ?? 1).toSatisfy(
          (bits: number) => (bits & 0xffff) === 0,
        );
        const product = (offset + after) * (factors[channel] ?? 0);
        expect(Math.abs(product - offset - before)).toBeLessThanOrEqual(
          2 ** -22 * Math.abs(offset + before),
        );
        if (offset + before > 0) {
          expect((factors[channel] ?? 0) / (wanted[channel] ?? 1)).toBeCloseTo(1, addsOne ? 1 : 2);
        }
      }
    },
  );

  test('scales a bias along, and leaves what the norm switches off', () => {
    const preceding = { ...norm(Float32Array.of(0, 1)), bias: Float32Array.of(3, 3) };
    const { factors, folds } = foldScales(preceding, Float32Array.of(2, 2), 'family');
    expect([...factors]).toEqual([1, 2]);
    expect(folds[0]).toEqual({
      kind: 'norm',
      module: 'input_layernorm',
      weight: Float32Array.of(0, 0.5),
      bias: Float32Array.of(3, 1.5),
    });
  });

  test('into the rows of a linear layer ties channels that come from one row', () => {
    const rowOf = Uint32Array.of(0, 1, 0, 1);
    const preceding: Preceding = { kind: 'linear', name: 'v_proj', rows: 3, rowOf };
    const { factors, folds } = foldScales(preceding, Float32Array.of(2, 3, 8, 3), 'family');
    const [fold] = folds;
    if (fold?.kind !== 'rows') throw new Error('no rows are scaled');
    expect(factors.map((factor) => Math.round(factor * 1e5) / 1e5)).toEqual(
      Float32Array.of(4, 3, 4, 3),
    );
    for (const [channel, row] of rowOf.entries()) {
      expect((factors[channel] ?? 0) * (fold.factors[row] ?? 0)).toBeCloseTo(1, 6);
    }
    // The third row feeds nothing.
    expect(fold.factors[2]).toBe(1);
  });

  test('refuses modules that do not fit', () => {
    const wanted = new Float32Array(4).fill(1);
    expect(() => foldScales(norm(new Float32Array(3)), wanted, 'family')).toThrow(
      'family: input_layernorm has 3 elements, but its output feeds 4 channels.',
    );
    const linear: Preceding = { kind: 'linear', name: 'v_proj', rows: 2 };
    expect(() => foldScales(linear, wanted, 'family')).toThrow(
      'channel 2 comes from row 2 of v_proj',
    );
  });

  test('scales a family and its statistics as if they had been gathered anew', () => {
    const random = seededRandom(6);
    const inputs = randomInputs(random, 60, 12);
    const family = familyOf(inputs, [randomMatrix(random, 3, 12)]);
    const factors = Float32Array.from({ length: 12 }, () => 0.5 + random());
    const scaled = scaleFamily(family, factors);
    const anew = familyOf(
      times(inputs, (channel) => 1 / (factors[channel] ?? 1)),
      scaled.weights,
    );
    for (const key of ['gram', 'meanMagnitude', 'largestMagnitude'] as const) {
      for (const [at, value] of anew.inputs[key].entries()) {
        const found = scaled.inputs[key][at] ?? Number.NaN;
        expect(Math.abs(found - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
      }
    }
    const [before, after] = [family.weights[0], scaled.weights[0]];
    expect(after?.values[13]).toBeCloseTo((before?.values[13] ?? 0) * (factors[1] ?? 0), 6);
  });
});

/** One channel in eight is large, so that scaling pays. */
function outlierFamily(seed: number): { readonly inputs: Matrix; readonly family: Family } {
  const random = seededRandom(seed);
  const inputs = times(randomMatrix(random, 120, 32), (channel) => (channel % 8 === 0 ? 30 : 1));
  const preceding = norm(new Float32Array(32).fill(1));
  const weights = [randomMatrix(random, 24, 32), randomMatrix(random, 8, 32)];
  return { inputs, family: familyOf(inputs, weights, { preceding }) };
}

describe('AWQ', () => {
  /** What the whole technique does with given factors to the family's output, from the inputs. */
  async function distance(inputs: Matrix, family: Family, factors: Float32Array): Promise<number> {
    const scaled = scaleFamily(family, factors);
    const { layers } = await awq({ grid: GRID, clip: false }).encode(scaled, context);
    return layers.reduce((sum, layer, i) => {
      const weight = family.weights[i];
      if (weight === undefined) throw new Error('a layer too many');
      const decoded = decodeWeight(layer.weight);
      const back = times(decoded, (channel) => 1 / (factors[channel] ?? 1));
      return sum + outputDistance(inputs, weight, back);
    }, 0);
  }

  test('chooses the candidate whose output, computed from the inputs, errs least', async () => {
    const { inputs, family } = outlierFamily(31);
    const scaling = await awq({ grid: GRID, clip: false }).scale?.(family, context);
    if (scaling === undefined || family.preceding === undefined) throw new Error('nothing scaled');
    const chosen = await distance(inputs, family, scaling.factors);

    const shares = new Float64Array(32);
    for (const { rows, values } of family.weights) {
      for (let row = 0; row < rows; row++) {
        for (let channel = 0; channel < 32; channel++) {
          const first = row * 32 + 16 * Math.floor(channel / 16);
          const group = values.subarray(first, first + 16).map(Math.abs);
          const share = Math.abs(values[row * 32 + channel] ?? 0) / Math.max(...group);
          shares[channel] = (shares[channel] ?? 0) + share / 32;
        }
      }
    }
    const distances: number[] = [];
    for (let step = 0; step < 20; step++) {
      for (const both of [false, true]) {
        const exponent = step / 20;
        const raw = family.inputs.meanMagnitude.map(
          (x, c) => x ** exponent / (both ? (shares[c] ?? 1) ** (1 - exponent) : 1),
        );
        const middle = Math.sqrt(Math.max(...raw) * Math.min(...raw));
        const wanted = raw.map((scale) => scale / middle);
        const { factors } = foldScales(family.preceding, wanted, 'family');
        distances.push(await distance(inputs, family, factors));
      }
    }
    expect(chosen / Math.min(...distances)).toBeCloseTo(1, 4);
    expect(chosen).toBeLessThan(0.7 * (distances[0] ?? 0));
  });

  test('leaves alone what no scaling improves, and what nothing can take scales for', async () => {
    const random = seededRandom(9);
    const inputs = randomInputs(random, 50, 16);
    const zero = { rows: 4, columns: 16, values: new Float32Array(64) };
    const preceding = norm(new Float32Array(16).fill(1));
    const technique = awq({ grid: GRID, clip: true });
    const scaling = await technique.scale?.(familyOf(inputs, [zero], { preceding }), context);
    expect(scaling?.factors).toEqual(new Float32Array(16).fill(1));
    expect(scaling?.notes).toEqual(['family: no scaling of its inputs lowers the error.']);
    expect(await technique.scale?.(familyOf(inputs, [zero]), context)).toBeUndefined();
  });

  test('clips where that lowers the error', async () => {
    const { family } = outlierFamily(17);
    const [clipped, whole] = await Promise.all(
      [true, false].map((clip) =>
        awq({ grid: { ...GRID, bits: 2 }, clip }).encode(family, context),
      ),
    );
    for (const [i, layer] of clipped?.layers.entries() ?? []) {
      expect(layer.error.output).toBeLessThan(0.9 * (whole?.layers[i]?.error.output ?? 0));
    }
  });
});

describe('SmoothQuant', () => {
  test('moves outliers by the migration strength, and rounds to 8 bits per row', async () => {
    const { family } = outlierFamily(23);
    const technique = smoothQuant({ migrationStrength: 0.5, scaleType: 'BF16' });
    const scaling = await technique.scale?.(family, context);
    if (scaling === undefined) throw new Error('nothing scaled');
    const largest = Array.from({ length: 32 }, (_, channel) =>
      Math.max(
        ...family.weights.flatMap(({ values }) =>
          [...values].filter((_, at) => at % 32 === channel).map(Math.abs),
        ),
      ),
    );
    const scaled = scaleFamily(family, scaling.factors);
    for (const [channel, weight] of largest.entries()) {
      // At one half, inputs and weights of a channel end up equally large.
      const input = scaled.inputs.largestMagnitude[channel] ?? Number.NaN;
      expect(input / (weight * (scaling.factors[channel] ?? 1))).toBeCloseTo(1, 1);
    }
    const { layers } = await technique.encode(scaled, context);
    for (const { weight, error } of layers) {
      expect(weight).toMatchObject({ kind: 'integers', bits: 8, groupSize: 32, symmetric: true });
      expect(error.output).toBeLessThan(0.01);
    }
  });

  test('gives channels that were never active no scale', async () => {
    const { inputs } = outlierFamily(2);
    const silent = times(inputs, (channel) => (channel === 3 ? 0 : 1));
    const preceding = norm(new Float32Array(32).fill(1));
    const family = familyOf(silent, [randomMatrix(seededRandom(1), 4, 32)], { preceding });
    const technique = smoothQuant({ migrationStrength: 0.8, scaleType: 'F32' });
    expect((await technique.scale?.(family, context))?.factors[3]).toBe(1);
  });
});
