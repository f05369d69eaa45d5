import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layoutSafetensors } from '#burnish/checkpoint/safetensors/layout.js';
import { largestDifference, modelStates } from '../../support/model-states.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** Made by test/interop/record_vectors.py from Transformers' own models. */
interface RecordedCase {
  readonly name: string;
  readonly config: object;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly ids: readonly number[];
  /** Of the last two tokens. */
  readonly lastLogits: readonly number[];
}

const cases: readonly RecordedCase[] = JSON.parse(
  readFileSync(new URL('./recorded-vectors.json', import.meta.url), 'utf8'),
);

/** The same formula as in the script. */
function formula(order: number, count: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, index) => Math.sin((index + 1) * 12.9898 + order * 78.233) * 0.5,
  );
}

function writeCheckpoint(folder: string, { config, shapes }: RecordedCase): void {
  const names = Object.keys(shapes).sort();
  const layout = layoutSafetensors(
    names.map((name) => ({ name, dtype: 'F32', shape: shapes[name] ?? [] })),
    { format: 'pt' },
    'model.safetensors',
  );
  const file = Buffer.alloc(layout.size);
  file.set(layout.header);
  for (const [order, name] of names.entries()) {
    const placed = layout.tensors.get(name);
    if (placed === undefined) throw new Error(`${name} is missing`);
    file.set(Buffer.from(formula(order, placed.length / 4).buffer), placed.offset);
  }
  writeFileSync(join(folder, 'model.safetensors'), file);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
}

describe('logits that Transformers computed', () => {
  const folderOf = (recorded: RecordedCase): string => {
    const folder = temporaryFolder('recorded');
    writeCheckpoint(folder, recorded);
    return folder;
  };

  it.each(cases.map((recorded) => [recorded.name, recorded] as const))(
    '%s',
    async (_, recorded) => {
      const { logits } = await modelStates(folderOf(recorded), [recorded.ids]);
      const last = logits.slice(-recorded.lastLogits.length);
      expect(largestDifference(last, recorded.lastLogits)).toBeLessThan(1e-4);
    },
  );

  it.each(cases.map((recorded) => [recorded.name, recorded] as const))(
    '%s, with activations on disk and two sequences in one run',
    async (_, recorded) => {
      const folder = folderOf(recorded);
      const ids = [recorded.ids, recorded.ids.toReversed()];
      const inMemory = await modelStates(folder, ids);
      const spilled = await modelStates(folder, ids, 0);
      expect(spilled).toEqual(inMemory);
      const first = inMemory.logits.slice(0, inMemory.logits.length / 2);
      const last = first.slice(-recorded.lastLogits.length);
      expect(largestDifference(last, recorded.lastLogits)).toBeLessThan(1e-4);
    },
  );
});
