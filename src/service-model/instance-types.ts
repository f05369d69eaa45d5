/**
 * Deployment instance types: which the API takes, and what accelerators each family carries.
 * Source: the API's enum, and AWS's public instance specifications.
 */

export interface Accelerator {
  readonly name: string;
  /** Gigabytes (10⁹ bytes) of memory on one accelerator. */
  readonly memoryGb: number;
  /** NVIDIA compute capability; absent on Neuron devices. */
  readonly computeCapability?: number;
}

export interface InstanceFamily {
  readonly accelerator: Accelerator;
  /** Accelerators by size; `other` is what every size not named has. */
  readonly counts: { readonly other: number; readonly [size: string]: number };
}

const G5_COUNTS = { '12xlarge': 4, '24xlarge': 4, '48xlarge': 8, other: 1 } as const;

export const INSTANCE_FAMILIES = {
  g4dn: {
    accelerator: { name: 'NVIDIA T4', memoryGb: 16, computeCapability: 7.5 },
    counts: { '12xlarge': 4, other: 1 },
  },
  g5: {
    accelerator: { name: 'NVIDIA A10G', memoryGb: 24, computeCapability: 8.6 },
    counts: G5_COUNTS,
  },
  g6: {
    accelerator: { name: 'NVIDIA L4', memoryGb: 24, computeCapability: 8.9 },
    counts: G5_COUNTS,
  },
  g6e: {
    accelerator: { name: 'NVIDIA L40S', memoryGb: 48, computeCapability: 8.9 },
    counts: G5_COUNTS,
  },
  g7e: {
    accelerator: { name: 'NVIDIA RTX PRO 6000 Blackwell', memoryGb: 96, computeCapability: 12 },
    counts: { '12xlarge': 2, '24xlarge': 4, '48xlarge': 8, other: 1 },
  },
  p4d: {
    accelerator: { name: 'NVIDIA A100 40GB', memoryGb: 40, computeCapability: 8 },
    counts: { other: 8 },
  },
  p4de: {
    accelerator: { name: 'NVIDIA A100 80GB', memoryGb: 80, computeCapability: 8 },
    counts: { other: 8 },
  },
  p5: {
    accelerator: { name: 'NVIDIA H100', memoryGb: 80, computeCapability: 9 },
    counts: { other: 8 },
  },
  p5e: {
    accelerator: { name: 'NVIDIA H200', memoryGb: 141, computeCapability: 9 },
    counts: { other: 8 },
  },
  p5en: {
    accelerator: { name: 'NVIDIA H200', memoryGb: 141, computeCapability: 9 },
    counts: { other: 8 },
  },
  'p6-b200': {
    accelerator: { name: 'NVIDIA B200', memoryGb: 180, computeCapability: 10 },
    counts: { other: 8 },
  },
  inf2: {
    accelerator: { name: 'AWS Inferentia2', memoryGb: 32 },
    counts: { '24xlarge': 6, '48xlarge': 12, other: 1 },
  },
  trn1: {
    accelerator: { name: 'AWS Trainium', memoryGb: 32 },
    counts: { '2xlarge': 1, '32xlarge': 16, other: 16 },
  },
  trn1n: { accelerator: { name: 'AWS Trainium', memoryGb: 32 }, counts: { other: 16 } },
} as const satisfies Record<string, InstanceFamily>;

/** In the API's own order. */
export const DEPLOYMENT_INSTANCE_TYPES = [
  'ml.p4d.24xlarge',
  'ml.p4de.24xlarge',
  'ml.p5.48xlarge',
  'ml.p5e.48xlarge',
  'ml.p5en.48xlarge',
  'ml.g4dn.xlarge',
  'ml.g4dn.2xlarge',
  'ml.g4dn.4xlarge',
  'ml.g4dn.8xlarge',
  'ml.g4dn.12xlarge',
  'ml.g4dn.16xlarge',
  'ml.g5.xlarge',
  'ml.g5.2xlarge',
  'ml.g5.4xlarge',
  'ml.g5.8xlarge',
  'ml.g5.12xlarge',
  'ml.g5.16xlarge',
  'ml.g5.24xlarge',
  'ml.g5.48xlarge',
  'ml.g6.xlarge',
  'ml.g6.2xlarge',
  'ml.g6.4xlarge',
  'ml.g6.8xlarge',
  'ml.g6.12xlarge',
  'ml.g6.16xlarge',
  'ml.g6.24xlarge',
  'ml.g6.48xlarge',
  'ml.g6e.xlarge',
  'ml.g6e.2xlarge',
  'ml.g6e.4xlarge',
  'ml.g6e.8xlarge',
  'ml.g6e.12xlarge',
  'ml.g6e.16xlarge',
  'ml.g6e.24xlarge',
  'ml.g6e.48xlarge',
  'ml.inf2.xlarge',
  'ml.inf2.8xlarge',
  'ml.inf2.24xlarge',
  'ml.inf2.48xlarge',
  'ml.trn1.2xlarge',
  'ml.trn1.32xlarge',
  'ml.trn1n.32xlarge',
  'ml.p6-b200.48xlarge',
  'ml.g7e.2xlarge',
  'ml.g7e.4xlarge',
  'ml.g7e.8xlarge',
  'ml.g7e.12xlarge',
  'ml.g7e.24xlarge',
  'ml.g7e.48xlarge',
] as const;

export type DeploymentInstanceType = (typeof DEPLOYMENT_INSTANCE_TYPES)[number];

export interface InstanceAccelerators {
  readonly accelerator: Accelerator;
  readonly count: number;
}

/** The accelerators of one instance type, for example eight H100 for `ml.p5.48xlarge`. */
export function acceleratorsOf(instanceType: DeploymentInstanceType): InstanceAccelerators {
  const [, familyName, size] = instanceType.split('.') as [
    string,
    keyof typeof INSTANCE_FAMILIES,
    string,
  ];
  const family: InstanceFamily = INSTANCE_FAMILIES[familyName];
  return { accelerator: family.accelerator, count: family.counts[size] ?? family.counts.other };
}
