import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { layoutSafetensors } from '#burnish/checkpoint/safetensors/layout.js';
import { readSafetensors } from '#burnish/checkpoint/safetensors/reader.js';
import { packAutoAwq } from '#burnish/optimizer/formats/autoawq.js';
import { packCompressed } from '#burnish/optimizer/formats/compressed-weight.js';
import { packGptq } from '#burnish/optimizer/formats/gptq.js';
import type { PackedTensor } from '#burnish/optimizer/formats/packed-tensors.js';
import { StoredWeights } from '#burnish/optimizer/forward/weights/stored-weights.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { decodeWeight } from '#burnish/optimizer/techniques/decode-weight.js';
import type {
  EncodedFloat8,
  EncodedIntegers,
  EncodedWeight,
} from '#burnish/optimizer/techniques/encoded-weight.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const ROWS = 32;
const COLUMNS = 64;

/** Random codes with scales that every type holds exactly. */
function integers(bits: number, groupSize: number, symmetric: boolean): EncodedIntegers {
  const random = seededRandom(bits + groupSize);
  const groups = COLUMNS / groupSize;
  return {
    kind: 'integers',
    bits,
    rows: ROWS,
    columns: COLUMNS,
    groupSize,
    symmetric,
    codes: Uint8Array.from({ length: ROWS * COLUMNS }, () => Math.floor(random() * 2 ** bits)),
    scales: Float32Array.from(
      { length: ROWS * groups },
      () => (1 + Math.floor(random() * 100)) / 256,
    ),
    scaleType: 'F16',
    zeroPoints: Uint8Array.from({ length: ROWS * groups }, () =>
      symmetric ? 2 ** (bits - 1) : 1 + Math.floor(random() * (2 ** bits - 1)),
    ),
  };
}

function float8(scales: number, inputScale?: number): EncodedFloat8 {
  const random = seededRandom(scales);
  return {
    kind: 'float8',
    rows: ROWS,
    columns: COLUMNS,
    // Without the two codes that are no numbers.
    codes: Uint8Array.from({ length: ROWS * COLUMNS }, () => {
      const code = Math.floor(random() * 256);
      return (code & 0x7f) === 0x7f ? 0 : code;
    }),
    scales: Float32Array.from({ length: scales }, () => (1 + Math.floor(random() * 100)) / 256),
    scaleType: 'BF16',
    ...(inputScale === undefined ? {} : { inputScale }),
  };
}

async function stored(tensors: readonly PackedTensor[]): Promise<StoredWeights> {
  const layout = layoutSafetensors(tensors, undefined, 'model.safetensors');
  const file = Buffer.alloc(layout.size);
  file.set(layout.header);
  for (const { name, data } of tensors) file.set(data, layout.tensors.get(name)?.offset ?? 0);
  const path = join(temporaryFolder(), 'model.safetensors');
  await writeFile(path, file);
  const read = await readSafetensors(path);
  const files = new TensorFiles(new Map(read.tensors.map((tensor) => [tensor.name, tensor])));
  onTestFinished(() => files.close());
  return new StoredWeights(files);
}

const reordered = Uint32Array.from({ length: COLUMNS }, (_, column) => column % 2);

const CASES: readonly (readonly [string, EncodedWeight, readonly PackedTensor[]])[] = [
  ...[true, false].flatMap((symmetric) =>
    [16, COLUMNS].flatMap((groupSize) => {
      const four = integers(4, groupSize, symmetric);
      const eight = integers(8, groupSize, symmetric);
      const name = `groups of ${groupSize}, ${symmetric ? '' : 'a'}symmetric`;
      return [
        [`AutoAWQ, ${name}`, four, packAutoAwq('x', four)],
        [`GPTQ 4 bits, ${name}`, four, packGptq('x', four)],
        [`GPTQ 8 bits, ${name}`, eight, packGptq('x', eight)],
        [`pack-quantized 4 bits, ${name}`, four, packCompressed('x', four)],
        [`pack-quantized 8 bits, ${name}`, eight, packCompressed('x', eight)],
      ] as const;
    }),
  ),
  ...[2, 3].map((bits) => {
    const weight = integers(bits, 32, false);
    return [`GPTQ ${bits} bits`, weight, packGptq('x', weight)] as const;
  }),
  (() => {
    const weight = { ...integers(4, 32, true), groupOf: reordered };
    return ['GPTQ, reordered groups', weight, packGptq('x', weight)] as const;
  })(),
  (() => {
    const weight = integers(8, COLUMNS, true);
    return ['int-quantized', weight, packCompressed('x', weight, false)] as const;
  })(),
  ['float-quantized, a scale a row', float8(ROWS), packCompressed('x', float8(ROWS))],
  ['float-quantized, one scale', float8(1), packCompressed('x', float8(1))],
];

describe('StoredWeights', () => {
  it.each(CASES)('decodes %s', async (_, weight, tensors) => {
    const source = await stored(tensors);
    const expected = decodeWeight(weight);
    expect(await source.matrix('x')).toEqual({
      rows: ROWS,
      columns: COLUMNS,
      values: expected.values,
    });
    const some = await source.rows('x', 5, 3);
    expect(some.values).toEqual(expected.values.slice(5 * COLUMNS, 8 * COLUMNS));
  });

  it('knows how inputs are rounded when the model runs', async () => {
    const roundingOf = async (tensors: readonly PackedTensor[]) =>
      (await stored(tensors)).rounding('x');
    const eight = integers(8, COLUMNS, true);
    expect(await roundingOf(packCompressed('x', eight, false))).toEqual({ kind: 'int8-token' });
    expect(await roundingOf(packCompressed('x', eight))).toBeUndefined();
    expect(await roundingOf(packCompressed('x', float8(1)))).toEqual({ kind: 'float8-token' });
    expect(await roundingOf(packCompressed('x', float8(1, 0.25)))).toEqual({
      kind: 'float8-tensor',
      scale: 0.25,
    });
  });

  it('names a module that it cannot read', async () => {
    const source = await stored(packCompressed('x', float8(1)));
    await expect(source.matrix('y')).rejects.toThrow('no weight of y');
  });
});
