import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { formatTimestamp } from '#burnish/cli/output/format-timestamp.js';

process.env.TZ = 'UTC';

describe('a timestamp', () => {
  it.each([
    [0, '1970-01-01T00:00:00+00:00'],
    [1700000000.123, '2023-11-14T22:13:20.123000+00:00'],
    [1700000000.0000002, '2023-11-14T22:13:20+00:00'],
    ['1700000000.9999999', '2023-11-14T22:13:21+00:00'],
    [-0.5, '1969-12-31T23:59:59.500000+00:00'],
    ['1700000000', '2023-11-14T22:13:20+00:00'],
    ['2023-11-14T22:13:20Z', '2023-11-14T22:13:20+00:00'],
  ])('%s is %s', (value, expected) => expect(formatTimestamp(value)).toBe(expected));

  it.each([
    ['Asia/Kolkata', '2023-11-15T03:43:20+05:30'],
    ['America/St_Johns', '2023-11-14T18:43:20-03:30'],
    ['Pacific/Auckland', '2023-11-15T11:13:20+13:00'],
  ])('is local time in %s', (zone, expected) => {
    const module = import.meta.resolve('#burnish/cli/output/format-timestamp.js');
    const program = `console.log((await import(${JSON.stringify(module)})).formatTimestamp(1.7e9))`;
    const env = { ...process.env, TZ: zone };
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { env });
    expect(String(printed).trim()).toBe(expected);
  });

  it.each(['soon', '', true, 1e300, []])('can’t be %j', (value) => {
    expect(() => formatTimestamp(value)).toThrow('Invalid timestamp');
  });
});
