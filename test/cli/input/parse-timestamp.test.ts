import { describe, expect, it } from 'vitest';
import { Decimal } from '#burnish/cli/input/input-value.js';
import { parseTimestamp } from '#burnish/cli/input/parse-timestamp.js';
import { fc } from '../../support/properties.js';

describe('timestamps', () => {
  const noon = Date.UTC(2024, 0, 2, 12) / 1000;

  it.each([
    '2024-01-02T12:00:00Z',
    '2024-01-02T12:00:00.999Z',
    '2024-01-02 12:00',
    '2024-01-02T14:00:00+02:00',
    '2024-01-02T06:30:00 -0530',
    '2024-01-02T13:00:00+01',
    '20240102T120000Z',
    'Tue, 02 Jan 2024 12:00:00 GMT',
    '2 January 2024 12:00',
    'Jan 2, 2024 12:00:00',
    '2024/1/2 12:00:00',
    String(noon),
    `${noon}.9`,
  ])('reads %j', (text) => {
    expect(parseTimestamp(text)).toBe(noon);
  });

  it('reads numbers as seconds since the epoch', () => {
    expect(parseTimestamp(2024)).toBe(2024);
    expect(parseTimestamp(true)).toBe(1);
    expect(parseTimestamp('2024')).toBe(2024);
    expect(parseTimestamp('1.7e9')).toBe(1_700_000_000);
    expect(parseTimestamp(new Decimal('-1.5'))).toBe(-2);
  });

  it('reads a date without a time as its midnight in UTC', () => {
    expect(parseTimestamp('2024-02-29')).toBe(Date.UTC(2024, 1, 29) / 1000);
    expect(parseTimestamp('0001-01-01')).toBe(-62_135_596_800);
  });

  it.each([
    'yesterday',
    '',
    '2024-02-30',
    '2024-13-01',
    '2024-01-02T24:00:00',
    '2024-01-02T12:60',
    '2 Foo 2024',
    '1e12',
    '0000-01-01',
    null,
    ['2024'],
    {},
  ])('refuses %j', (value) => {
    expect(parseTimestamp(value)).toBeUndefined();
  });

  it('reads every time in ISO 8601', () => {
    const date = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (time) => {
        expect(parseTimestamp(time.toISOString())).toBe(Math.floor(time.getTime() / 1000));
      }),
    );
  });
});
