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
const MODEL = join(here, '..', '..', 'fixtures', 'shakespeare-llama');

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
    BURNISH_URL: service.url,
    AWS_SHARED_CREDENTIALS_FILE: join(service.dataDir, 'credentials'),
    AWS_CONFIG_FILE: join(service.dataDir, 'config'),
    AWS_ENDPOINT_URL: service.url,
  });

  it.each([
    ['sagemaker_clients.py', [join(dirname(python), 'aws'), MODEL]],
    ['s3_clients.py', []],
  ])('%s', async (script, args) => {
    const result = await run(python, [join(here, script), ...args], {
      env: environment(),
    }).catch((error: { stdout: string; stderr: string }) => error);
    expect(result.stdout + result.stderr).not.toMatch(/FAIL|Traceback/);
    expect(result.stdout).toMatch(/ok/);
  });
});
