import { describe, expect, it } from 'vitest';
import { mapImage, parseImageReference } from '#burnish/executors/images/image-reference.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseImageReference', () => {
  it.each([
    ['busybox', 'docker.io', 'library/busybox', undefined, undefined],
    ['a/b:1', 'docker.io', 'a/b', '1', undefined],
    ['localhost/b', 'localhost', 'b', undefined, undefined],
    ['127.0.0.1:5000/a/b:x-1', '127.0.0.1:5000', 'a/b', 'x-1', undefined],
    [`r.example/a@${DIGEST}`, 'r.example', 'a', undefined, DIGEST],
    [`r.example/a:1@${DIGEST}`, 'r.example', 'a', '1', DIGEST],
  ])('takes %s apart', (text, registry, repository, tag, digest) => {
    expect(parseImageReference(text)).toEqual({ registry, repository, tag, digest });
  });

  it.each(['', '-v', 'a b', 'a:', 'a@sha256:12', '../x', `${'a'.repeat(200)}:${'b'.repeat(200)}`])(
    'refuses %j',
    (text) => {
      expect(() => parseImageReference(text)).toThrow('is no name of a container image');
    },
  );
});

describe('mapImage', () => {
  const mappings = [
    { from: '*.dkr.ecr.*.amazonaws.com/djl-inference', to: 'mirror.example/djl' },
    { from: 'a.example', to: 'b.example/a' },
  ];

  it.each([
    ['1.dkr.ecr.us-west-2.amazonaws.com/djl-inference:1', 'mirror.example/djl:1'],
    [`1.dkr.ecr.us-west-2.amazonaws.com/djl-inference@${DIGEST}`, `mirror.example/djl@${DIGEST}`],
    [
      '1.dkr.ecr.us-west-2.amazonaws.com/djl-inference-2:1',
      '1.dkr.ecr.us-west-2.amazonaws.com/djl-inference-2:1',
    ],
    ['a.example/x/y', 'b.example/a/x/y'],
    ['xa.example/x', 'xa.example/x'],
    ['aXexample/x', 'aXexample/x'],
    [
      'evil/1.dkr.ecr.x.amazonaws.com/djl-inference',
      'evil/1.dkr.ecr.x.amazonaws.com/djl-inference',
    ],
  ])('%s becomes %s', (image, mapped) => {
    expect(mapImage(image, mappings)).toBe(mapped);
  });
});
