import { describe, expect, it } from 'vitest';
import {
  acceleratorsOf,
  DEPLOYMENT_INSTANCE_TYPES,
} from '#burnish/service-model/instance-types.js';

describe('acceleratorsOf', () => {
  it('knows all 49 instance types', () => {
    expect(DEPLOYMENT_INSTANCE_TYPES).toHaveLength(49);
    for (const type of DEPLOYMENT_INSTANCE_TYPES) {
      const { accelerator, count } = acceleratorsOf(type);
      expect(count).toBeGreaterThan(0);
      expect(accelerator.memoryGb).toBeGreaterThanOrEqual(16);
    }
  });

  it.each([
    ['ml.g4dn.12xlarge', 'NVIDIA T4', 4],
    ['ml.g5.48xlarge', 'NVIDIA A10G', 8],
    ['ml.g6e.24xlarge', 'NVIDIA L40S', 4],
    ['ml.p4de.24xlarge', 'NVIDIA A100 80GB', 8],
    ['ml.g7e.12xlarge', 'NVIDIA RTX PRO 6000 Blackwell', 2],
    ['ml.p6-b200.48xlarge', 'NVIDIA B200', 8],
    ['ml.inf2.48xlarge', 'AWS Inferentia2', 12],
    ['ml.trn1.2xlarge', 'AWS Trainium', 1],
    ['ml.trn1n.32xlarge', 'AWS Trainium', 16],
  ] as const)('%s has %s × %i', (type, name, count) => {
    expect(acceleratorsOf(type)).toMatchObject({ accelerator: { name }, count });
  });
});
