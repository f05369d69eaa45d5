import { describe, expect, it } from 'vitest';
import { logBatches } from '#burnish/telemetry/cloudwatch/log-batches.js';
import { fc } from '../../support/properties.js';

const line = (time: number, text: string) => ({ offset: 0, time, text });

describe('logBatches', () => {
  it('keeps to the number of events, and to the order of time', () => {
    const lines = Array.from({ length: 25_000 }, (_, index) => line(index % 100, `line ${index}`));
    const batches = [...logBatches(lines)];
    expect(batches.map(({ length }) => length)).toEqual([10_000, 10_000, 5_000]);
    for (const batch of batches) {
      const times = batch.map(({ timestamp }) => timestamp);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it('cuts a line that is longer than an event, never within a character', () => {
    const text = '€'.repeat(300_000);
    const events = [...logBatches([line(1, text)])].flat();
    expect(events.map(({ message }) => message).join('')).toBe(text);
    for (const { message } of events) expect(Buffer.byteLength(message)).toBeLessThan(262_144);
  });

  it('loses nothing, and breaks no limit', () => {
    const lines = fc.array(
      fc.record({
        time: fc.integer({ min: 0, max: 5 * 24 * 3600 * 1000 }),
        text: fc.oneof(
          fc.string(),
          fc.nat(400_000).map((length) => 'x'.repeat(length)),
        ),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(lines, (given) => {
        const batches = [...logBatches(given.map(({ time, text }) => line(time, text)))];
        for (const batch of batches) {
          const bytes = batch.reduce((sum, it) => sum + Buffer.byteLength(it.message) + 26, 0);
          expect(bytes).toBeLessThanOrEqual(1_048_576);
          const [first, last] = [batch[0]?.timestamp ?? 0, batch.at(-1)?.timestamp ?? 0];
          expect(last - first).toBeLessThan(24 * 3600 * 1000);
        }
        const sent = batches.flat().reduce((sum, it) => sum + it.message.length, 0);
        expect(sent).toBe(given.reduce((sum, it) => sum + it.text.length, 0));
      }),
      { numRuns: 50 },
    );
  });
});
