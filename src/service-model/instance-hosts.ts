import type { INSTANCE_FAMILIES } from './instance-types.js';

/** What an instance has beside its accelerators. */
export interface InstanceHost {
  readonly vcpus: number;
  readonly memoryBytes: number;
}

const GIB = 1024 ** 3;

/** Virtual processors of a size `xlarge`; `12xlarge` has twelve times as many. */
const VCPUS = 4;

/**
 * Memory in GiB by family: of each `xlarge` that a size is made of.
 *
 * Held to public tables: of GPU instance types in AWS Batch's user guide (g4dn, g5, g6), of the Neuron
 * SDK's architecture pages (inf2, trn1, trn1n), of Red Hat's OpenShift on AWS (p4d, p4de, p5, p6-b200), of
 * TorchX's named resources (g6e), and of AWS's announcement of G7e. P5e and P5en, which none of these has,
 * are taken to be P5's host with other accelerators.
 */
const GIB_PER_XLARGE: ReadonlyMap<string, number> = new Map(
  Object.entries({
    g4dn: 16,
    g5: 16,
    g6: 16,
    g6e: 32,
    g7e: 32,
    p4d: 48,
    p4de: 48,
    p5: 2048 / 48,
    p5e: 2048 / 48,
    p5en: 2048 / 48,
    'p6-b200': 2048 / 48,
    inf2: 16,
    trn1: 16,
    trn1n: 16,
  } satisfies Record<keyof typeof INSTANCE_FAMILIES, number>),
);

/** Sizes that have more than their family's measure: those of several accelerators. */
const GIB_OF: ReadonlyMap<string, number> = new Map([
  ['ml.g7e.12xlarge', 512],
  ['ml.g7e.24xlarge', 1024],
  ['ml.g7e.48xlarge', 2048],
]);

/**
 * Processors and memory of an instance type, for example 4 and 16 GiB for `ml.g5.xlarge`; undefined for
 * what is none.
 */
export function hostOf(instanceType: string): InstanceHost | undefined {
  const [, family = '', times] = /^ml\.([\w-]+)\.(\d*)xlarge$/.exec(instanceType) ?? [];
  const units = Number(times || 1);
  const gib = GIB_OF.get(instanceType) ?? (GIB_PER_XLARGE.get(family) ?? Number.NaN) * units;
  return Number.isNaN(gib)
    ? undefined
    : { vcpus: VCPUS * units, memoryBytes: Math.round(gib * GIB) };
}
