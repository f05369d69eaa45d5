import { afterAll, describe, expect, test } from 'vitest';
import type { Matrix } from '#burnish/optimizer/linear-algebra/linear-algebra.js';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { awq } from '#burnish/optimizer/techniques/awq.js';
import { decodeWeight } from '#burnish/optimizer/techniques/decode-weight.js';
import { TechniqueError } from '#burnish/optimizer/techniques/errors.js';
import { fp8Static } from '#burnish/optimizer/techniques/fp8-static.js';
import { gptaq } from '#burnish/optimizer/techniques/gptaq.js';
import { gptq } from '#burnish/optimizer/techniques/gptq.js';
import { smoothQuant } from '#burnish/optimizer/techniques/smoothquant.js';
import type { Family, Technique } from '#burnish/optimizer/techniques/technique.js';
import { familyOf, randomInputs, randomMatrix } from './numbers.js';

const algebra = createLinearAlgebra(2);
const context = { algebra, signal: new AbortController().signal };
afterAll(() => algebra.close());

const GRID = { bits: 4, groupSize: 16, symmetric: false, scaleType: 'F16' } as const;
const GPTQ = { grid: GRID, order: 'activity', damping: 0.01, range: 'search' } as const;

const TECHNIQUES: readonly (readonly [string, Technique])[] = [
  ['awq', awq({ grid: GRID, clip: true })],
  ['gptq', gptq(GPTQ)],
  ['gptq with groups by activity', gptq({ ...GPTQ, order: 'activity-groups' })],
  ['gptaq', gptaq({ grid: GRID, order: 'activity', scaling: true, damping: 0.05, sweeps: 2 })],
  ['smoothquant', smoothQuant({ migrationStrength: 0.5, scaleType: 'F32' })],
  ['fp8', fp8Static({ weightScales: 'row', scaleType: 'F32' })],
];

function weightOf(seed: number, rows: number, columns: number): Matrix {
  return randomMatrix(seededRandom(seed), rows, columns);
}

/** Encodes a family and checks that every weight decodes to something near it. */
async function encode(technique: Technique, family: Family): Promise<readonly string[]> {
  const scaled = await technique.scale?.(family, context);
  expect(scaled?.factors.every((factor) => Number.isFinite(factor) && factor > 0) ?? true).toBe(
    true,
  );
  const { layers, notes } = await technique.encode(family, context);
  for (const [i, { weight, error }] of layers.entries()) {
    const original = family.weights[i];
    const decoded = decodeWeight(weight);
    expect(decoded.values.length).toBe(original?.values.length);
    for (const [at, value] of decoded.values.entries()) {
      expect(Math.abs(value - (original?.values[at] ?? 0))).toBeLessThan(1.5);
    }
    expect(error.output).toBeLessThan(0.3);
  }
  return notes;
}

describe.each(TECHNIQUES)('%s', (name, technique) => {
  const compensates = name.startsWith('gpt');

  test('takes channels that were never active', async () => {
    const inputs = randomInputs(seededRandom(1), 100, 64);
    const values = inputs.values.map((x, at) => ([3, 40].includes(at % 64) ? 0 : x));
    const preceding = {
      kind: 'norm',
      name: 'norm',
      weight: new Float32Array(64).fill(1),
      addsOne: false,
      storedAs: 'BF16',
      alsoFeeds: [],
    } as const;
    const family = familyOf({ ...inputs, values }, [weightOf(2, 8, 64)], { preceding });
    const notes = await encode(technique, family);
    if (compensates) {
      expect(notes).toContain(
        'family: 2 input channels of 64 never active in calibration; rounded to nearest.',
      );
    }
  });

  test('takes inputs that were never active at all', async () => {
    const inputs = { rows: 10, columns: 32, values: new Float32Array(320) };
    const { layers } = await technique.encode(familyOf(inputs, [weightOf(3, 8, 32)]), context);
    expect(layers[0]?.error.output).toBe(0);
    expect(layers[0]?.error.weight.relativeRms).toBeLessThan(0.1);
  });

  test('takes fewer tokens than channels', async () => {
    await encode(technique, familyOf(randomInputs(seededRandom(4), 5, 64), [weightOf(5, 8, 64)]));
  });

  test('takes a width that is no multiple of the group', async () => {
    const family = familyOf(randomInputs(seededRandom(6), 90, 50), [weightOf(7, 5, 50)]);
    const notes = await encode(technique, family);
    if (name !== 'smoothquant' && name !== 'fp8') {
      expect(notes).toContain('layer0: the last group of each row has 2 columns.');
    }
  });

  test('takes groups of zeros and of one constant', async () => {
    const weight = weightOf(8, 6, 32);
    weight.values.fill(0, 0, 16);
    weight.values.fill(0.37, 16, 32);
    weight.values.fill(-3, 32, 64);
    const family = familyOf(randomInputs(seededRandom(9), 80, 32), [weight]);
    const notes = await encode(technique, family);
    if (name === 'gptq' || name === 'awq') {
      const { layers } = await technique.encode(family, context);
      const [layer] = layers;
      if (layer === undefined) throw new Error('no layer came back');
      // GPTQ may use a group of zeros to make up for others, as far as the smallest scale reaches.
      for (const value of decodeWeight(layer.weight).values.subarray(0, 16)) {
        expect(Math.abs(value)).toBeLessThan(0.001);
      }
      expect(notes).toContain('layer0: 4 groups of one constant weight throughout.');
    }
  });

  test('takes weights too small for half precision to scale', async () => {
    const { rows, columns, values } = weightOf(10, 4, 32);
    const weight = { rows, columns, values: values.map((value) => value * 1e-9) };
    const family = familyOf(randomInputs(seededRandom(11), 60, 32), [weight]);
    const { layers } = await technique.encode(family, context);
    const [layer] = layers;
    if (layer === undefined) throw new Error('no layer came back');
    for (const value of decodeWeight(layer.weight).values)
      expect(Math.abs(value)).toBeLessThan(1e-4);
  });

  test('refuses what is not finite or does not fit, and names it', async () => {
    const inputs = randomInputs(seededRandom(12), 30, 16);
    const family = familyOf(inputs, [weightOf(13, 4, 16)]);
    const refused = (change: Partial<Family>, message: string): Promise<void> =>
      expect(technique.encode({ ...family, ...change }, context)).rejects.toThrow(
        expect.objectContaining({
          name: 'TechniqueError',
          message: expect.stringContaining(message),
        }),
      );
    const broken = weightOf(14, 4, 16);
    broken.values[7] = Number.NaN;
    await refused({ weights: [{ name: 'q_proj', ...broken }] }, 'q_proj: its weight holds NaN');
    await refused(
      { weights: [{ name: 'q_proj', ...weightOf(15, 4, 8) }] },
      'q_proj: its weight of',
    );
    const gram = family.inputs.gram.slice();
    gram[3] = Number.POSITIVE_INFINITY;
    await refused({ inputs: { ...family.inputs, gram } }, 'family: its Gram matrix are not finite');
    await refused({ inputs: { ...family.inputs, gram: gram.slice(1) } }, 'have 255 elements');
    await refused({ inputs: { ...family.inputs, tokens: 0 } }, 'no calibration token reached it');
  });
});

test('a singular Gram matrix gets the damping that it takes, and the report says so', async () => {
  const inputs = randomInputs(seededRandom(20), 4, 48);
  const family = familyOf(inputs, [weightOf(21, 4, 48)]);
  const { notes } = await gptq({ ...GPTQ, damping: 0 }).encode(family, context);
  expect(notes).toEqual([
    expect.stringMatching(
      /^family: its Gram matrix is singular at a damping of 0; it was raised to /,
    ),
  ]);
});

test('a matrix that is no Gram matrix at all is refused', async () => {
  const family = familyOf(randomInputs(seededRandom(22), 40, 16), [weightOf(23, 4, 16)]);
  const gram = new Float32Array(256).fill(-100);
  for (let i = 0; i < 16; i++) gram[i * 17] = 1;
  const inputs = { ...family.inputs, gram };
  await expect(gptq(GPTQ).encode({ ...family, inputs }, context)).rejects.toThrow(TechniqueError);
});
