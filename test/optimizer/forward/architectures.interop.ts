import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FORWARD_NAMES } from '#burnish/checkpoint/architectures/forward/table.js';
import { readSafetensors } from '#burnish/checkpoint/safetensors/reader.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import { largestDifference, modelStates } from '../../support/model-states.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const python = process.env.BURNISH_INTEROP_PYTHON;
const script = fileURLToPath(new URL('../../interop/tiny_checkpoints.py', import.meta.url));

if (python === undefined) {
  console.warn('SKIPPED: block outputs against Transformers, for want of BURNISH_INTEROP_PYTHON');
}

/** Of values that are of the order of one. */
const TOLERANCE = 1e-4;

describe.skipIf(python === undefined)('every architecture against Transformers', async () => {
  const folder = temporaryFolder('architectures');
  if (python !== undefined) execFileSync(python, [script, folder], { stdio: 'pipe' });
  const names = readdirSync(folder).filter((name) => !name.endsWith('.expected'));

  it('is covered', () => {
    for (const architecture of FORWARD_NAMES) {
      expect(names.some((name) => name.startsWith(architecture))).toBe(true);
    }
  });

  it.each(names)('%s', async (name) => {
    const reference = join(folder, `${name}.expected`);
    const file = await readSafetensors(join(reference, 'expected.safetensors'));
    const files = new TensorFiles(new Map(file.tensors.map((tensor) => [tensor.name, tensor])));
    const expected = async (tensor: string): Promise<Float32Array> => {
      const found = files.find(tensor);
      return files.floats(found, 0, found.length / 4);
    };
    const ids: number[] = JSON.parse(readFileSync(join(reference, 'ids.json'), 'utf8'));
    const states = await modelStates(join(folder, name), [ids]);
    for (const [index, block] of states.blocks.entries()) {
      expect(
        largestDifference(block, await expected(`block.${index}`)),
        `${name}, block ${index}`,
      ).toBeLessThan(TOLERANCE);
    }
    expect(largestDifference(states.logits, await expected('logits'))).toBeLessThan(TOLERANCE);
    await files.close();
  });
});
