import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe } from 'vitest';
import { probeIsolation } from '#burnish/executors/local-process/isolation/probe-isolation.js';
import { createLocalProcessExecutor } from '#burnish/executors/local-process/local-process-executor.js';
import { describeExecutor } from './executor-conformance.js';

const PROGRAM = fileURLToPath(new URL('../../support/step-program.mjs', import.meta.url));

let folder: string;
let isolated: string | undefined;

afterAll(async () => {
  await rm(folder, { recursive: true });
  if (isolated !== undefined) await rm(isolated, { recursive: true });
});

describeExecutor('a process of this machine', async () => {
  folder = await mkdtemp(join(tmpdir(), 'burnish-local-'));
  return {
    folder,
    create: () => createLocalProcessExecutor(PROGRAM),
    settings: 'data',
    protectsInput: false,
  };
});

const isolation = await probeIsolation();

// Where the machine can't do it there is nothing to test, and jobs that need it are refused.
describe.skipIf(isolation.kind === 'none')('isolated', () => {
  describeExecutor('a process in namespaces of its own', async () => {
    isolated = await mkdtemp(join(tmpdir(), 'burnish-isolated-'));
    const hidden = { dataDir: isolated, secrets: [] };
    return {
      folder: isolated,
      create: () => createLocalProcessExecutor(PROGRAM, { hidden, networks: [] }),
      settings: 'data',
      protectsInput: true,
    };
  });
});
