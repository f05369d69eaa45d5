import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { probeIsolation } from '#burnish/executors/local-process/isolation/probe-isolation.js';
import { createLocalProcessExecutor } from '#burnish/executors/local-process/local-process-executor.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { describeExecutor } from './executor-conformance.js';

const PROGRAM = fileURLToPath(new URL('../../support/step-program.mjs', import.meta.url));

describeExecutor('a process of this machine', async () => {
  return {
    folder: temporaryFolder('local'),
    create: () => createLocalProcessExecutor(PROGRAM),
    settings: 'data',
    protectsInput: false,
  };
});

const isolation = await probeIsolation();

// Where the machine can't do it there is nothing to test, and jobs that need it are refused.
describe.skipIf(isolation.kind === 'none')('isolated', () => {
  describeExecutor('a process in namespaces of its own', async () => {
    const folder = temporaryFolder('isolated');
    const hidden = { dataDir: folder, secrets: [] };
    return {
      folder,
      create: () => createLocalProcessExecutor(PROGRAM, { hidden, networks: [] }),
      settings: 'data',
      protectsInput: true,
    };
  });
});
