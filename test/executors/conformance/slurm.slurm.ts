import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createSlurmExecutor } from '#burnish/executors/slurm/slurm-executor.js';
import {
  APPTAINER_STAND_IN,
  TEST_SLURM_OPTIONS,
  testCluster,
} from '../../support/slurm/test-cluster.js';
import { describeExecutor } from './executor-conformance.js';

const { configurationFile } = testCluster();
const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'burnish-batch-'));
  folders.push(folder);
  return folder;
}

describeExecutor('a batch job of the built-in optimizer', async () => ({
  folder: await newFolder(),
  create: () => createSlurmExecutor({ ...TEST_SLURM_OPTIONS, configurationFile }),
  settings: 'data',
  protectsInput: false,
}));

describeExecutor('a batch job of an image', async () => ({
  folder: await newFolder(),
  create: () =>
    createSlurmExecutor({
      ...TEST_SLURM_OPTIONS,
      configurationFile,
      containerRuntime: 'apptainer',
      containerProgram: APPTAINER_STAND_IN,
    }),
  image: 'registry.example/stand-in:1',
  settings: 'environment',
  protectsInput: true,
}));
