import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INTEROP_PYTHON } from '../support/interop-python.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const CLI = join(here, '..', '..', 'dist', 'cli', 'main.js');
const MODEL = join(here, '..', '..', 'fixtures', 'shakespeare-llama');

/** How a script ended, and what it printed. */
interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(INTEROP_PYTHON === undefined)('foreign clients', () => {
  const python = INTEROP_PYTHON ?? '';
  let service: RunningService;

  beforeAll(async () => {
    service = await startTestService({ concurrentJobs: 2 });
    await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
  });

  afterAll(() => service.close());

  const environment = () => ({
    PATH: process.env.PATH,
    HOME: service.dataDir,
    BURNISH_ENDPOINT: service.url,
    BURNISH_DATA_DIR: service.dataDir,
    BURNISH_CLI: JSON.stringify([process.execPath, CLI]),
    BURNISH_AWS: join(dirname(python), 'aws'),
    AWS_SHARED_CREDENTIALS_FILE: join(service.dataDir, 'credentials'),
    AWS_CONFIG_FILE: join(service.dataDir, 'config'),
    AWS_ENDPOINT_URL: service.url,
  });

  it.each([
    ['sagemaker_clients.py', [MODEL]],
    ['s3_clients.py', []],
    ['identity_clients.py', []],
  ])('%s', async (script, args) => {
    const result: Outcome = await run(python, [join(here, script), ...args], {
      env: environment(),
    }).then(
      (output) => ({ ...output, code: 0 }),
      (failure: Outcome) => failure,
    );
    console.log(result.stdout);
    expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(0);
  });
});
