import { appendFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type LogLine,
  logSize,
  readLogBackward,
  readLogForward,
} from '#burnish/telemetry/read-log.js';
import { rotateLog } from '#burnish/telemetry/rotate-log.js';
import { fc } from '../support/properties.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = temporaryFolder('log');
  file = join(folder, '1-quantization.log');
});

async function readAll(from = 0, maxLines = 50): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for (let offset = from; ; ) {
    const page = await readLogForward(file, offset, maxLines);
    if (page.lines.length === 0) return lines;
    lines.push(...page.lines);
    offset = page.end;
  }
}

async function bytesOnDisk(): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder)) sum += (await stat(join(folder, name))).size;
  return sum;
}

const line = (index: number) => `line ${String(index).padStart(6, '0')} ${'é'.repeat(40)}\n`;

describe('rotateLog', () => {
  it('leaves a short log alone', async () => {
    await writeFile(file, 'short\n');
    expect(await rotateLog(file, { maxBytes: 1000 })).toBe(false);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('moves what was written, and places in the log stay what they were', async () => {
    const size = { maxBytes: 80_000 };
    let written = 0;
    const offsets = new Map<string, number>();
    for (let round = 0; round < 5; round += 1) {
      for (let index = 0; index < 120; index += 1) await appendFile(file, line(written++));
      for (const { text, offset } of await readAll()) {
        expect(offsets.get(text) ?? offset, text).toBe(offset);
        offsets.set(text, offset);
      }
      expect(await rotateLog(file, size)).toBe(true);
    }
    const lines = await readAll();
    expect(lines.map(({ text }) => `${text}\n`)).toEqual(
      Array.from({ length: written }, (_, index) => line(index)),
    );
    // A token from before all rotations leads to where it led.
    const [text = '', offset = 0] = [...offsets][77] ?? [];
    expect((await readLogForward(file, offset, 1)).lines[0]?.text).toBe(text);
    expect(await logSize(file)).toBe(written * Buffer.byteLength(line(0)));
  });

  it('keeps the beginning and the end within the size, and says what was dropped', async () => {
    const size = { maxBytes: 80_000 };
    let written = 0;
    for (let round = 0; round < 40; round += 1) {
      let text = '';
      for (let index = 0; index < 120; index += 1) text += line(written++);
      await appendFile(file, text);
      await rotateLog(file, size);
      expect(await bytesOnDisk()).toBeLessThan(size.maxBytes + 2 * 12_000);
    }
    await appendFile(file, line(written++));
    const lines = await readAll();
    expect(`${lines[0]?.text}\n`).toBe(line(0));
    expect(`${lines.at(-1)?.text}\n`).toBe(line(written - 1));
    expect(
      lines.filter(({ text }) => /^\[\d+ bytes of this log were dropped/.test(text)),
    ).toHaveLength(1);
    const backward: string[] = [];
    for (let offset = (await logSize(file)) ?? 0; ; ) {
      const page = await readLogBackward(file, offset, 7);
      if (page.lines.length === 0) break;
      backward.unshift(...page.lines.map(({ text }) => text));
      offset = page.start;
    }
    expect(backward).toEqual(lines.map(({ text }) => text));
  });

  it('lets a flood take no more than its size, whatever was written at once', async () => {
    const size = { maxBytes: 800_000 };
    let text = '';
    for (let index = 0; index < 60_000; index += 1) text += line(index);
    await writeFile(file, text);
    expect(await rotateLog(file, size)).toBe(true);
    expect(await bytesOnDisk()).toBeLessThan(size.maxBytes);
    const lines = await readAll(0, 1000);
    expect(`${lines[0]?.text}\n`).toBe(line(0));
    expect(`${lines.at(-1)?.text}\n`).toBe(line(59_999));
    expect(await logSize(file)).toBe(Buffer.byteLength(text));
  });

  it('reads every byte sequence without losing its place', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 20 }),
        async (chunks) => {
          folder = temporaryFolder('log');
          file = join(folder, '1-quantization.log');
          let whole = Buffer.alloc(0);
          for (const chunk of chunks) {
            await appendFile(file, chunk);
            whole = Buffer.concat([whole, chunk]);
            await rotateLog(file, { maxBytes: 8 * 500 });
          }
          await appendFile(file, '\n');
          whole = Buffer.concat([whole, Buffer.from('\n')]);
          expect(await logSize(file)).toBe(whole.length);
          const expected = whole.toString('latin1').split('\n').length - 1;
          const kept = (await readdir(folder)).length <= 7;
          if (kept) expect(await readAll(0, 3)).toHaveLength(expected);
        },
      ),
      { numRuns: 40 },
    );
  });
});
