import { describe, expect, it } from 'vitest';
import { chooseScheme, describeScheme } from '#burnish/optimizer/quantization/scheme.js';

const rtn = (groupSize: number | undefined, bits: 2 | 3 | 4 | 8 = 4, zeroPoint = false) =>
  ({ technique: 'rtn', bits, groupSize, zeroPoint }) as const;

function choose(
  request: Parameters<typeof chooseScheme>[0],
  ...shapes: readonly (readonly [number, number])[]
): string {
  const choice = chooseScheme(
    request,
    shapes.map(([rows, columns]) => ({ rows, columns })),
  );
  if (choice.scheme === undefined) return choice.reason;
  return `${describeScheme(choice.scheme, false)}${choice.changed ? ' (changed)' : ''}`;
}

describe('chooseScheme', () => {
  it.each([
    [128, [512], 'int4, groups of 128'],
    [128, [192], 'int4, groups of 64 (changed)'],
    [128, [96], 'int4, groups of 32 (changed)'],
    [128, [336], 'int4, per channel (changed)'],
    [64, [192], 'int4, groups of 64'],
    [64, [96], 'int4, groups of 32 (changed)'],
    [32, [256], 'int4, groups of 32'],
    [32, [40], 'int4, per channel (changed)'],
    [undefined, [256], 'int4, per channel'],
    [128, [256, 192], 'int4, groups of 64 (changed)'],
    [128, [256, 40], 'int4, per channel (changed)'],
  ] as const)('group size %s, widths %j: %s', (groupSize, widths, expected) => {
    const shapes = widths.map((width) => [8, width] as const);
    expect(choose(rtn(groupSize), ...shapes)).toBe(expected);
  });

  it('leaves alone what does not fill packed words', () => {
    expect(choose(rtn(undefined), [8, 12])).toContain('its width 12 is not a multiple of 8');
    expect(choose(rtn(undefined, 8), [8, 12])).toBe('int8, per channel');
    expect(choose(rtn(undefined, 8), [8, 10])).toContain('not a multiple of 4');
    expect(choose(rtn(128), [8, 128], [8, 12])).toContain('its width 12');
    expect(choose(rtn(undefined, 3), [8, 48])).toContain(
      '48 is not a multiple of 32, the codes of three',
    );
    expect(choose(rtn(undefined, 3), [8, 96])).toBe('int3, per channel');
    expect(choose(rtn(undefined, 2), [8, 48])).toBe('int2, per channel');
  });

  it('asks for whole words of zero points only where there are any', () => {
    expect(choose(rtn(128, 4, true), [12, 128])).toContain(
      'its 12 outputs are not a multiple of 8',
    );
    expect(choose(rtn(128, 8, true), [12, 128])).toBe('int8, groups of 128, zero points');
    expect(choose(rtn(128), [12, 128])).toBe('int4, groups of 128');
    expect(choose(rtn(128, 3, true), [48, 128])).toContain(
      'its 48 outputs are not a multiple of 32',
    );
  });

  it('takes any shape where nothing is packed', () => {
    expect(choose({ technique: 'fp8', staticInputs: false }, [3, 5])).toBe(
      'fp8, per channel, dynamic activations',
    );
    expect(choose({ technique: 'int8' }, [3, 5])).toBe('int8, per channel, dynamic activations');
  });
});
