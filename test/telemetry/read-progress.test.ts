import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readProgress } from '#burnish/telemetry/read-progress.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = temporaryFolder('progress');
  file = join(folder, 'progress.jsonl');
});

describe('readProgress', () => {
  it('is undefined where there is no file, or nothing whole in it', async () => {
    expect(await readProgress(file)).toBeUndefined();
    await writeFile(file, '{"phase":"read');
    expect(await readProgress(file)).toBeUndefined();
  });

  it('gives the last whole event of a long file', async () => {
    const events = Array.from({ length: 2_000 }, (_, index) =>
      JSON.stringify({ time: '2026-01-01T00:00:00Z', phase: 'quantizing', tensorsDone: index }),
    );
    await writeFile(file, `${events.join('\n')}\n{"time":1,"pha`);
    expect(await readProgress(file)).toEqual({
      time: Date.UTC(2026, 0, 1),
      phase: 'quantizing',
      tensorsDone: 1_999,
    });
  });

  it('passes over what is not an event', async () => {
    await writeFile(file, '{"time":5,"phase":"copying","bytesDone":"many"}\nnonsense\n[]\n');
    expect(await readProgress(file)).toEqual({ time: 5, phase: 'copying' });
  });
});
