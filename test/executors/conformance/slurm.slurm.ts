import { createSlurmExecutor } from '#burnish/executors/slurm/slurm-executor.js';
import {
  APPTAINER_STAND_IN,
  TEST_SLURM_OPTIONS,
  testCluster,
} from '../../support/slurm/test-cluster.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { describeExecutor } from './executor-conformance.js';

const { configurationFile } = testCluster();

describeExecutor('a batch job of the built-in optimizer', async () => ({
  folder: temporaryFolder('batch'),
  create: () => createSlurmExecutor({ ...TEST_SLURM_OPTIONS, configurationFile }),
  settings: 'data',
  protectsInput: false,
}));

describeExecutor('a batch job of an image', async () => ({
  folder: temporaryFolder('batch'),
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
