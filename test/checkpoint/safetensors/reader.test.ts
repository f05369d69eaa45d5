import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAX_HEADER_BYTES, readSafetensors } from '#burnish/checkpoint/safetensors/reader.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { randomTensor, safetensorsBytes, safetensorsFile } from '../synthetic.js';

async function written(bytes: Uint8Array): Promise<string> {
  const path = join(temporaryFolder(), 'model.safetensors');
  await writeFile(path, bytes);
  return path;
}

/** Reads a file with this header and so many bytes of data. */
async function reading(header: string, dataBytes: number) {
  return readSafetensors(await written(safetensorsBytes(header, new Uint8Array(dataBytes))));
}

describe('readSafetensors', () => {
  it('finds every tensor at its place', async () => {
    const tensors = [
      randomTensor('b', [3, 4], 'BF16'),
      randomTensor('a', [5], 'F32'),
      randomTensor('scalar', [], 'F16'),
      randomTensor('empty', [0, 7], 'BF16'),
    ];
    const bytes = safetensorsFile(tensors, { format: 'pt', note: 'x' });
    const read = await readSafetensors(await written(bytes));
    expect(read.metadata).toEqual({ format: 'pt', note: 'x' });
    expect(read.size).toBe(bytes.length);
    for (const { name, dtype, shape, data } of tensors) {
      const found = read.tensors.find((tensor) => tensor.name === name);
      expect(found).toMatchObject({ dtype, shape, length: data.length });
      const offset = found?.offset ?? 0;
      expect(bytes.subarray(offset, offset + data.length)).toEqual(Buffer.from(data));
    }
  });

  it('reads a header padded with spaces, and one without metadata', async () => {
    const read = await reading('{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}     ', 2);
    expect(read.metadata).toBeUndefined();
    expect(read.tensors).toHaveLength(1);
  });

  it('reads types narrower than a byte by their bits', async () => {
    const read = await reading('{"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]}}', 3);
    expect(read.tensors[0]).toMatchObject({ dtype: 'F4', length: 3 });
    await expect(
      reading('{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', 2),
    ).rejects.toThrow('too large');
  });

  const entry = (dtype: string, shape: string, offsets: string) =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

  it.each([
    [
      'overlapping data',
      `{"a":${entry('U8', '[4]', '[0,4]')},"b":${entry('U8', '[4]', '[2,6]')}}`,
      6,
      'tensor "b": its data overlaps',
    ],
    [
      'the same data twice',
      `{"a":${entry('U8', '[4]', '[0,4]')},"b":${entry('U8', '[4]', '[0,4]')}}`,
      4,
      'overlaps',
    ],
    [
      'a gap',
      `{"a":${entry('U8', '[2]', '[0,2]')},"b":${entry('U8', '[2]', '[4,6]')}}`,
      6,
      'tensor "b": its data leaves a gap of 2 bytes',
    ],
    [
      'data beyond the end',
      `{"a":${entry('U8', '[9]', '[0,9]')}}`,
      4,
      'tensor "a": its data ends at byte',
    ],
    [
      'data beyond what a number holds',
      `{"a":${entry('U8', '[9]', '[0,1e300]')}}`,
      4,
      'data_offsets',
    ],
    [
      'bytes after the last tensor',
      `{"a":${entry('U8', '[2]', '[0,2]')}}`,
      5,
      '3 bytes after its last tensor',
    ],
    [
      'a size that is not the shape’s',
      `{"a":${entry('F32', '[2]', '[0,4]')}}`,
      4,
      'F32 [2] needs 8',
    ],
    [
      'data that ends before it begins',
      `{"a":${entry('U8', '[2]', '[4,2]')}}`,
      4,
      'ends (2) before it begins (4)',
    ],
    ['a negative offset', `{"a":${entry('U8', '[2]', '[-2,0]')}}`, 4, 'data_offsets'],
    ['a fraction in the shape', `{"a":${entry('U8', '[1.5]', '[0,1]')}}`, 1, 'shape'],
    ['a negative size', `{"a":${entry('U8', '[-1]', '[0,1]')}}`, 1, 'shape'],
    [
      'a shape whose product overflows',
      `{"a":${entry('F32', '[4294967296,4294967296]', '[0,0]')}}`,
      0,
      'too large',
    ],
    ['too many dimensions', `{"a":${entry('U8', `[${'1,'.repeat(16)}1]`, '[0,1]')}}`, 1, 'shape'],
    ['an unknown type', `{"a":${entry('F7', '[1]', '[0,1]')}}`, 1, 'type "F7"'],
    [
      'a type named like a method',
      `{"a":${entry('toString', '[1]', '[0,1]')}}`,
      1,
      'type "toString"',
    ],
    [
      'a name twice',
      `{"a":${entry('U8', '[1]', '[0,1]')},"a":${entry('U8', '[1]', '[1,2]')}}`,
      2,
      'the name "a" appears twice',
    ],
    [
      'an escaped name twice',
      `{"a":${entry('U8', '[1]', '[0,1]')},"\\u0061":${entry('U8', '[1]', '[1,2]')}}`,
      2,
      'the name "a" appears twice',
    ],
    ['an entry that is no object', '{"a":[]}', 0, 'tensor "a": its header entry is not an object'],
    ['an entry without offsets', '{"a":{"dtype":"U8","shape":[1]}}', 1, 'data_offsets'],
    ['metadata that is not text', '{"__metadata__":{"a":1}}', 0, '"a" is not a string'],
    ['metadata that is no object', '{"__metadata__":1}', 0, '__metadata__'],
    ['a list', '[]', 0, 'not a safetensors file'],
    ['deep nesting', `{"a":{"b":{"c":{"d":1}}}}`, 0, 'nested'],
    ['broken JSON', '{"a":', 0, 'is not valid JSON'],
  ])('refuses %s', async (_, header, dataBytes, message) => {
    await expect(reading(header, dataBytes)).rejects.toThrow(message);
    await expect(reading(header, dataBytes)).rejects.toThrow(/^model\.safetensors/);
  });

  it('refuses a file cut off anywhere', async () => {
    const whole = safetensorsFile([randomTensor('a', [4, 4])]);
    for (let length = 0; length < whole.length; length += 1) {
      await expect(readSafetensors(await written(whole.subarray(0, length)))).rejects.toThrow(
        /^model\.safetensors/,
      );
    }
  });

  it.each([BigInt(MAX_HEADER_BYTES) + 1n, 2n ** 63n, 2n ** 64n - 1n])(
    'refuses a header that claims %s bytes without reading it',
    async (length) => {
      const bytes = safetensorsFile([randomTensor('a', [2])]);
      bytes.writeBigUInt64LE(length);
      await expect(readSafetensors(await written(bytes))).rejects.toThrow(
        `claims a header of ${length} bytes`,
      );
    },
  );

  it('refuses bytes that are not UTF-8', async () => {
    const bytes = safetensorsBytes('{"a?":1}');
    bytes[8 + 3] = 0xff;
    await expect(readSafetensors(await written(bytes))).rejects.toThrow('not UTF-8');
  });

  it('reads tensors named like parts of JavaScript', async () => {
    const names = ['__proto__', 'constructor', 'toString', '0'];
    const tensors = names.map((name) =>
      entry('U8', '[1]', '[0,1]').replace(
        '[0,1]',
        `[${names.indexOf(name)},${names.indexOf(name) + 1}]`,
      ),
    );
    const header = `{${names.map((name, index) => `"${name}":${tensors[index]}`).join(',')}}`;
    const read = await reading(header, names.length);
    expect(read.tensors.map(({ name }) => name).sort()).toEqual([...names].sort());
  });
});
