import { expect, it } from 'vitest';
import { stepResources } from '#burnish/jobs/admission/resources.js';

const needs = { cores: 4, memoryBytes: 3e9, diskBytes: 1e9 };

it('gives a step what its job was estimated to take, and of cores no more than there are', () => {
  expect(stepResources('quantization', { cores: 2 }, needs, false)).toEqual({
    cores: 2,
    memoryBytes: 3e9,
  });
  expect(stepResources('sharding', { cores: 2 }, needs, true)).toEqual({
    cores: 4,
    memoryBytes: 3e9,
  });
});

it('limits no memory where none was estimated', () => {
  const unknown = { ...needs, memoryBytes: 0 };
  expect(stepResources('quantization', { cores: 2 }, unknown, false).memoryBytes).toBeUndefined();
  expect(stepResources('quantization', { cores: 2 }, undefined, false)).toEqual({
    cores: 2,
    memoryBytes: undefined,
  });
  expect(stepResources('compilation', { cores: 2 }, needs, true).memoryBytes).toBeUndefined();
});
