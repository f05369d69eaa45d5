import { describe, expect, it } from 'vitest';
import { ExecutorError } from '#burnish/executors/executor.js';
import { parseResultObjects } from '#burnish/executors/step-objects.js';

const FILE = {
  bucket: 'models',
  key: 'staging/step-1/result/config.json',
  name: 'config.json',
  etag: 'd41d8cd98f00b204e9800998ecf8427e',
  size: 5 * 2 ** 30,
  sha256: 'ab'.repeat(32),
};

describe('the list of a step’s result', () => {
  it('comes back as it was written', () => {
    expect(parseResultObjects(JSON.stringify([FILE]))).toEqual([FILE]);
    expect(parseResultObjects('[]')).toEqual([]);
  });

  it.each([
    ['nothing', 'null'],
    ['no JSON', '['],
    ['no list', '{"key":"a"}'],
    ['an empty place', '[null]'],
    ['a file without a key', JSON.stringify([{ ...FILE, key: undefined }])],
    ['a negative size', JSON.stringify([{ ...FILE, size: -1 }])],
    ['half a byte', JSON.stringify([{ ...FILE, size: 0.5 }])],
    ['a file without a checksum', JSON.stringify([{ ...FILE, sha256: undefined }])],
    ['a checksum that is none', JSON.stringify([{ ...FILE, sha256: 'abc' }])],
  ])('is refused where it holds %s', (_, json) => {
    expect(() => parseResultObjects(json)).toThrow(ExecutorError);
    expect(() => parseResultObjects(json)).toThrow(/list of the step’s result can’t be read/);
  });
});
