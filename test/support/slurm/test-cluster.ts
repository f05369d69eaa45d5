import { fileURLToPath } from 'node:url';
import type { SlurmOptions } from '#burnish/executors/slurm/slurm-options.js';

/** Runs the stand-in program with Apptainer's arguments, mounts and variables. */
export const APPTAINER_STAND_IN = fileURLToPath(new URL('apptainer-stand-in.sh', import.meta.url));

const PROGRAM = fileURLToPath(new URL('../step-program.mjs', import.meta.url));

/** A cluster of two nodes, n1 and n2, in the partition `all`; `second` has n2 alone. */
export interface TestCluster {
  /** Where its daemons leave their process numbers. */
  readonly folder: string;
  readonly configurationFile: string;
}

/** The cluster that `npm run test:slurm` has started. */
export function testCluster(): TestCluster {
  const cluster = process.env.BURNISH_TEST_SLURM;
  if (cluster === undefined) {
    throw new Error('npm run test:slurm starts the cluster that this suite needs');
  }
  return JSON.parse(cluster) as TestCluster;
}

/** What the tests' executor is set up with, beside the cluster. */
export const TEST_SLURM_OPTIONS: SlurmOptions = {
  configurationFile: undefined,
  node: process.execPath,
  optimizerProgram: PROGRAM,
  containerRuntime: undefined,
  containerProgram: undefined,
  containerArguments: [],
  imageMappings: [],
  placements: [],
  defaultCores: 1,
  defaultMemoryBytes: 500 * 1024 ** 2,
  requeue: false,
  pollMs: 200,
};
