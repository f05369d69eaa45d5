import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DTYPE_BITS, type Dtype } from '#burnish/checkpoint/safetensors/dtypes.js';
import { layoutSafetensors } from '#burnish/checkpoint/safetensors/layout.js';
import { readSafetensors } from '#burnish/checkpoint/safetensors/reader.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const FILE = 'model.safetensors';

describe('layoutSafetensors', () => {
  it('lays out files that read back as they were planned, every tensor aligned to its elements', async () => {
    const random = seededRandom(7);
    const dtypes = Object.entries(DTYPE_BITS).filter(([, bits]) => bits % 8 === 0);
    for (let round = 0; round < 50; round += 1) {
      const tensors = Array.from({ length: Math.floor(random() * 12) }, (_, index) => ({
        name: `tensor.${index}${'é"\\\n'.repeat(round % 3)}`,
        dtype: dtypes[Math.floor(random() * dtypes.length)]?.[0] as Dtype,
        shape: Array.from({ length: Math.floor(random() * 4) }, () => Math.floor(random() * 5)),
      }));
      const layout = layoutSafetensors(tensors, { format: 'pt', round: String(round) }, FILE);
      const path = join(temporaryFolder(), FILE);
      const bytes = Buffer.alloc(layout.size);
      Buffer.from(layout.header).copy(bytes);
      await writeFile(path, bytes);
      const read = await readSafetensors(path);
      expect(read.metadata).toEqual({ format: 'pt', round: String(round) });
      expect(read.tensors).toHaveLength(tensors.length);
      for (const { name, dtype, shape } of tensors) {
        const placed = layout.tensors.get(name);
        expect(read.tensors.find((tensor) => tensor.name === name)).toMatchObject({
          dtype,
          shape,
          offset: placed?.offset,
          length: placed?.length,
        });
        expect((placed?.offset ?? 1) % (DTYPE_BITS[dtype] / 8)).toBe(0);
      }
    }
  });

  it('keeps names that look like numbers where they belong', () => {
    const layout = layoutSafetensors(
      [
        { name: 'b', dtype: 'U8', shape: [1] },
        { name: '1', dtype: 'U8', shape: [1] },
      ],
      undefined,
      FILE,
    );
    const json = Buffer.from(layout.header.subarray(8)).toString();
    expect(json.indexOf('"b"')).toBeLessThan(json.indexOf('"1"'));
  });

  it('refuses a name twice', () => {
    const tensor = { name: 'a', dtype: 'U8', shape: [1] } as const;
    expect(() => layoutSafetensors([tensor, tensor], undefined, FILE)).toThrow(
      'model.safetensors, tensor "a": would be written twice',
    );
  });

  it('refuses sizes that a number cannot hold', () => {
    const tensor = { name: 'a', dtype: 'F32', shape: [2 ** 40, 2 ** 40] } as const;
    expect(() => layoutSafetensors([tensor], undefined, FILE)).toThrow('too large');
  });
});
