import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeptLayers } from '#burnish/jobs/kept-layers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: string;
let kept: KeptLayers;

beforeEach(async () => {
  folder = temporaryFolder('kept');
  kept = new KeptLayers(join(folder, 'checkpoints'));
});

/** What a step leaves: a list of what it has finished, and that. */
async function finish(place: string): Promise<void> {
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'finished.jsonl'), '{"of":"x"}\n{"layer":0}\n');
  await writeFile(join(place, 'layer-0'), 'weights in clear');
}

describe('finished layers of a job whose artifacts are encrypted', () => {
  it('are removed when it ends, rather than kept in clear', async () => {
    const source = join(folder, 'kept');
    await finish(join(source, 'step-1', 'own'));
    await kept.putAway('sealed', source, undefined, false);
    expect(await kept.has('sealed')).toBe(false);
    expect(await readdir(folder, { recursive: true })).not.toContainEqual(
      expect.stringContaining('layer-0'),
    );
  });

  it('are told apart from those that another job left, which go back to it', async () => {
    const source = join(folder, 'kept');
    await finish(join(source, 'step-1', 'own'));
    await finish(join(source, 'step-1', 'offered'));
    await kept.putAway('sealed', source, 'earlier', false);
    expect(await kept.has('sealed')).toBe(false);
    expect(await kept.has('earlier')).toBe(true);
  });
});
