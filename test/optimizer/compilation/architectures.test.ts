import { describe, expect, it } from 'vitest';
import { FORWARD_NAMES } from '#burnish/checkpoint/architectures/forward/table.js';
import { writeModel } from '../../checkpoint/synthetic.js';
import { largestDifference, modelStates } from '../../support/model-states.js';
import { compile, compiledLogits } from './compiling.js';
import { TINY_CASES, tinyIds, tinyModel } from './tiny-models.js';

/** Of logits that are of the order of one to ten. */
const TOLERANCE = 1e-3;

describe('a compiled fp32 graph', () => {
  it('is tested for every architecture', () => {
    const names = TINY_CASES.map(({ name }) => name.split(/[ ,]/)[0]);
    expect([...new Set(names)].sort()).toEqual([...FORWARD_NAMES].sort());
  });

  it.each(TINY_CASES.map((tiny) => [tiny.name, tiny] as const))(
    'gives the logits of the forward pass: %s',
    async (_, tiny) => {
      const source = await writeModel(tinyModel(tiny));
      const ids = tinyIds(24);
      const { logits } = await modelStates(source, [ids]);
      expect(Math.max(...logits.map(Math.abs))).toBeGreaterThan(0.3);
      const fused = await compile(source, { OPTION_DTYPE: 'fp32' });
      const whole = await compiledLogits(source, fused, ids);
      expect(largestDifference(whole, logits)).toBeLessThan(TOLERANCE);
      const apart = await compile(source, { OPTION_OPTIMIZATION_LEVEL: '0' });
      const unfused = await compiledLogits(source, apart, ids, ids.length, 'disabled');
      expect(largestDifference(unfused, logits)).toBeLessThan(TOLERANCE);
    },
  );

  it.each(
    TINY_CASES.filter(({ name }) => !name.includes('two tables')).map(
      (tiny) => [tiny.name, tiny] as const,
    ),
  )('gives them token by token, and in chunks, from its cache: %s', async (_, tiny) => {
    const source = await writeModel(tinyModel(tiny));
    const ids = tinyIds(24);
    const { logits } = await modelStates(source, [ids]);
    const compiled = await compile(source);
    for (const step of [1, 5]) {
      const pieces = await compiledLogits(source, compiled, ids, step);
      expect(largestDifference(pieces, logits)).toBeLessThan(TOLERANCE);
    }
  });
});
