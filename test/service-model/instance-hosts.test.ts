import { expect, it } from 'vitest';
import { hostOf } from '#burnish/service-model/instance-hosts.js';
import { DEPLOYMENT_INSTANCE_TYPES } from '#burnish/service-model/instance-types.js';

it.each([
  ['ml.g4dn.16xlarge', 64, 256],
  ['ml.g5.xlarge', 4, 16],
  ['ml.g6e.12xlarge', 48, 384],
  ['ml.g7e.8xlarge', 32, 256],
  ['ml.g7e.48xlarge', 192, 2048],
  ['ml.p4d.24xlarge', 96, 1152],
  ['ml.p6-b200.48xlarge', 192, 2048],
  ['ml.inf2.24xlarge', 96, 384],
  ['ml.trn1n.32xlarge', 128, 512],
])('%s has %i processors and %i GiB', (instanceType, vcpus, gib) => {
  expect(hostOf(instanceType)).toEqual({ vcpus, memoryBytes: gib * 1024 ** 3 });
});

it('knows every instance type, and nothing else', () => {
  for (const instanceType of DEPLOYMENT_INSTANCE_TYPES) {
    const host = hostOf(instanceType);
    expect(host?.vcpus).toBeGreaterThanOrEqual(4);
    expect(Number.isSafeInteger(host?.memoryBytes)).toBe(true);
  }
  expect(hostOf('ml.m5.xlarge')).toBeUndefined();
  expect(hostOf('constructor')).toBeUndefined();
});
