import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type LogLine, readLogBackward, readLogForward } from '#burnish/telemetry/read-log.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = temporaryFolder('log');
  file = join(folder, 'step.log');
});

const texts = (lines: readonly LogLine[]) => lines.map((line) => line.text);

describe('readLogForward', () => {
  it('gives every line once, page by page, and leaves an unfinished one for later', async () => {
    const lines = Array.from({ length: 25 }, (_, index) => `zeile ${index} – ü`);
    await writeFile(file, `${lines.join('\n')}\nhalf`);
    const seen: string[] = [];
    let offset = 0;
    for (;;) {
      const page = await readLogForward(file, offset, 4);
      if (page.lines.length === 0) break;
      seen.push(...texts(page.lines));
      offset = page.end;
    }
    expect(seen).toEqual(lines);
    await appendFile(file, ' done\n');
    expect(texts((await readLogForward(file, offset, 4)).lines)).toEqual(['half done']);
  });

  it('gets past a line that is longer than a page', async () => {
    await writeFile(file, `${'z'.repeat(3 * 1024 * 1024)}\nlast\n`);
    let offset = 0;
    let last = '';
    for (;;) {
      const page = await readLogForward(file, offset, 10);
      if (page.lines.length === 0) break;
      last = page.lines.at(-1)?.text ?? '';
      offset = page.end;
    }
    expect(last).toBe('last');
  });

  it('takes the time of a line from its head, and of others from the line before', async () => {
    await writeFile(
      file,
      '2026-01-02T03:04:05.678Z first\n  continued\n2026-01-02T03:04:06Z second\n',
    );
    const { lines } = await readLogForward(file, 0, 10);
    const first = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    expect(lines).toEqual([
      { offset: 0, time: first, text: 'first' },
      { offset: 31, time: first, text: '  continued' },
      { offset: 43, time: Date.UTC(2026, 0, 2, 3, 4, 6), text: 'second' },
    ]);
  });
});

describe('readLogBackward', () => {
  it('walks from the end to the head without gaps', async () => {
    const lines = Array.from({ length: 30 }, (_, index) => `${'x'.repeat(index)} ${index}`);
    await writeFile(file, `${lines.join('\n')}\n`);
    let offset = Number.MAX_SAFE_INTEGER;
    const seen: string[] = [];
    for (;;) {
      const page = await readLogBackward(file, Math.min(offset, 1_000_000), 7);
      if (page.lines.length === 0) break;
      seen.unshift(...texts(page.lines));
      offset = page.start;
    }
    expect(seen).toEqual(lines);
  });

  it('finds whole lines in a log that is longer than a page', async () => {
    const line = 'y'.repeat(999);
    await writeFile(file, `${line}\n`.repeat(2_500));
    const page = await readLogBackward(file, 2_500_000, 10_000);
    expect(page.lines.length).toBe(1_048);
    expect(new Set(texts(page.lines))).toEqual(new Set([line]));
    expect(page.end).toBe(2_500_000);
  });
});
