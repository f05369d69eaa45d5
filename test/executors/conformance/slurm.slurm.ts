import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createSlurmExecutor } from '#burnish/executors/slurm/slurm-executor.js';
import { TEST_SLURM_OPTIONS, testCluster } from '../../support/slurm/test-cluster.js';
import { describeExecutor } from './executor-conformance.js';

let folder: string;

afterAll(() => rm(folder, { recursive: true }));

describeExecutor('a batch job of a Slurm cluster', async () => {
  const { configurationFile } = testCluster();
  folder = await mkdtemp(join(tmpdir(), 'burnish-batch-'));
  return {
    folder,
    create: () => createSlurmExecutor({ ...TEST_SLURM_OPTIONS, configurationFile }),
    settings: 'data',
    protectsInput: false,
  };
});
