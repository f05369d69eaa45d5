import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readContract } from '#burnish/optimizer/contract.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const FOLDERS = { SM_NEO_INPUT_MODEL_DIR: '/in', SM_NEO_COMPILED_MODEL_DIR: '/out' };

async function withStepFile(text: string) {
  const path = join(temporaryFolder(), 'step.json');
  await writeFile(path, text);
  return readContract({ ...FOLDERS, OPTION_QUANTIZE: 'fp8', BURNISH_STEP_FILE: path });
}

describe('readContract', () => {
  it('takes the settings of a container from its environment, and nothing else of it', async () => {
    const contract = await readContract({
      ...FOLDERS,
      OPTION_QUANTIZE: 'rtn',
      PATH: '/bin',
      NODE_OPTIONS: '--inspect',
    });
    expect(contract).toEqual({
      inputFolder: '/in',
      outputFolder: '/out',
      progressFile: undefined,
      technique: undefined,
      environment: { OPTION_QUANTIZE: 'rtn' },
      datasets: {},
      scratchFolder: undefined,
    });
  });

  it('takes them from the step’s file alone where there is one', async () => {
    const contract = await withStepFile(
      '{"technique":"quantization","environment":{"OPTION_QUANTIZE":"rtn","LD_PRELOAD":"x"}}',
    );
    expect(contract.technique).toBe('quantization');
    expect(contract.environment).toEqual({ OPTION_QUANTIZE: 'rtn', LD_PRELOAD: 'x' });
  });

  it.each(['SM_NEO_INPUT_MODEL_DIR', 'SM_NEO_COMPILED_MODEL_DIR'])('asks for %s', async (name) => {
    await expect(readContract({ ...FOLDERS, [name]: '' })).rejects.toThrow(`${name} is not set`);
  });

  it.each([
    ['[]', 'is not an object'],
    ['{"technique":"magic","environment":{}}', 'technique in'],
    ['{"environment":{}}', 'must be one of quantization, compilation'],
    ['{"technique":"quantization"}', 'environment in'],
    ['{"technique":"quantization","environment":{"A":1}}', 'environment.A in'],
    ['{"technique":"quantization","environment":{"A":"1","A":"2"}}', 'appears twice'],
    ['{', 'is not valid JSON'],
    [' '.repeat(2_000_000), 'larger than a step can be'],
  ])('refuses a step file %#', async (text, message) => {
    await expect(withStepFile(text)).rejects.toThrow(message);
  });
});
