import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { createLocalProcessExecutor } from '#burnish/executors/local-process/local-process-executor.js';
import { describeExecutor } from './executor-conformance.js';

const PROGRAM = fileURLToPath(new URL('../../support/step-program.mjs', import.meta.url));

let folder: string;

afterAll(() => rm(folder, { recursive: true }));

describeExecutor('a process of this machine', async () => {
  folder = await mkdtemp(join(tmpdir(), 'burnish-local-'));
  return {
    folder,
    create: () => createLocalProcessExecutor(PROGRAM),
    settings: 'data',
    protectsInput: false,
  };
});
