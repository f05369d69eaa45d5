import { open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  llama,
  randomTensor,
  safetensorsBytes,
  safetensorsFile,
  writeModel,
} from '../../checkpoint/synthetic.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { quantize } from '../resuming/support.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const RTN = { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' };
const CALIBRATED = {
  OPTION_QUANTIZE: 'smoothquant',
  OPTION_CALIB_SIZE: '4',
  OPTION_CALIB_DATASET: 's3://texts/calibration.txt',
  OPTION_EVALUATE: 'false',
};
const LAYER_LINE = /^[\w.]+: (?:int|fp)\d/;

/** Nothing of the long work may have been done. */
function expectNoLayer(log: readonly string[]): void {
  expect(log.filter((line) => LAYER_LINE.test(line))).toEqual([]);
}

describe('what has no chance', () => {
  it.each([RTN, CALIBRATED])('fails before any layer for want of memory: %j', async (settings) => {
    const model = join(FIXTURES, 'shakespeare-llama');
    const datasets = {
      OPTION_CALIB_DATASET: join(FIXTURES, 'shakespeare-llama-calibration.txt'),
    };
    const options = { datasets, memoryBytes: 64_000_000 };
    const { error, log, output } = await quantize(model, settings, options);
    expect(error?.name).toBe('MemoryError');
    expect(error?.message).toMatch(
      /(quantizing|calibrating) \S+ took the process to [\d.]+ [MG]B.*, but it may take 64\.00 MB/,
    );
    expectNoLayer(log);
    expect(await readdir(output)).toEqual([]);
  });

  it('fails before any layer for want of space', async () => {
    const model = await writeModel(llama());
    const path = join(model, 'model.safetensors');
    // A header that tells of a tensor of eight terabytes, and a file with a hole for it.
    const bytes = await readFile(path);
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    const end = bytes.length - 8 - length;
    const shape = [2 ** 21, 2 ** 20];
    const terabytes = 4 * 2 ** 41;
    header['huge.weight'] = { dtype: 'F32', shape, data_offsets: [end, end + terabytes] };
    const enlarged = safetensorsBytes(JSON.stringify(header), bytes.subarray(8 + length));
    await writeFile(path, enlarged);
    await truncate(path, enlarged.length + terabytes);
    const { error, log, output } = await quantize(model, RTN);
    expect(error?.message).toMatch(
      /the result needs \d{13} bytes, but the output's disk has \d+ left/,
    );
    expectNoLayer(log);
    expect(await readdir(output)).toEqual([]);
  });

  it('fails before any layer for a bad header in the last of its files', async () => {
    const model = await writeModel(llama());
    const files = new Map<string, string>();
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const whole = await readFile(join(model, 'model.safetensors'));
    await writeFile(join(model, names[0] ?? ''), whole);
    const length = Number(whole.readBigUInt64LE());
    for (const name of Object.keys(JSON.parse(whole.subarray(8, 8 + length).toString()))) {
      if (name !== '__metadata__') files.set(name, names[0] ?? '');
    }
    files.set('last.weight', names[1] ?? '');
    await writeFile(
      join(model, names[1] ?? ''),
      safetensorsFile([randomTensor('last.weight', [8, 8])]),
    );
    const handle = await open(join(model, names[1] ?? ''), 'r+');
    await handle.truncate((await handle.stat()).size - 4);
    await handle.close();
    const index = { metadata: {}, weight_map: Object.fromEntries(files) };
    await writeFile(join(model, 'model.safetensors.index.json'), JSON.stringify(index));
    await rm(join(model, 'model.safetensors'));
    const { error, log, output } = await quantize(model, RTN);
    expect(error?.message).toContain('model-00002-of-00002.safetensors');
    expect(error?.message).toContain('truncated');
    expectNoLayer(log);
    expect(await readdir(output)).toEqual([]);
  });

  it('leaves nothing of what was tried', async () => {
    const scratchFolder = temporaryFolder();
    const { error } = await quantize(join(FIXTURES, 'shakespeare-llama'), CALIBRATED, {
      scratchFolder,
      datasets: {
        OPTION_CALIB_DATASET: join(FIXTURES, 'shakespeare-llama-calibration.txt'),
      },
    });
    expect(error).toBeUndefined();
    expect(await readdir(scratchFolder)).toEqual([]);
  });
});
