import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StepRequest } from '#burnish/executors/executor.js';
import { createLocalProcessExecutor } from '#burnish/executors/local-process/local-process-executor.js';
import { createStepFolders, stepFolders } from '#burnish/executors/step-folders.js';
import { masterKeySources } from '#burnish/server/master-key-sources.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROGRAM = fileURLToPath(new URL('../support/environment-program.mjs', import.meta.url));

/** What a service may have in its environment, each with a value that is found anywhere. */
const SECRETS = Object.fromEntries(
  [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_SHARED_CREDENTIALS_FILE',
    'BURNISH_MASTER_KEY_FILE',
    'BURNISH_DATABASE_URL',
    'PGPASSWORD',
    'NODE_OPTIONS_OF_THE_SERVICE',
  ].map((name) => [name, randomBytes(16).toString('hex')]),
);

let folder: string;
const before = { ...process.env };

beforeAll(async () => {
  folder = temporaryFolder('environment');
  Object.assign(process.env, SECRETS);
});

afterAll(async () => {
  for (const name of Object.keys(SECRETS)) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
});

it("a step gets its own job's environment alone, and no open file of the service's", async () => {
  const folders = stepFolders(join(folder, 'job'), 0);
  const inputFolder = join(folder, 'source');
  await mkdir(inputFolder);
  await createStepFolders(folders);
  const request: StepRequest = {
    job: 'job',
    step: 0,
    technique: 'quantization',
    environment: { OPTION_QUANTIZE: 'rtn', NODE_OPTIONS: '--inspect' },
    deployment: { instanceType: 'ml.g5.xlarge', accelerator: 'A10G', count: 1, memoryGb: 24 },
    datasets: {},
    inputFolder,
    folders,
    logFile: join(folder, 'step.log'),
    deadline: Date.now() + 3_600_000,
    graceMs: 1_000,
  };
  const executor = createLocalProcessExecutor(PROGRAM);
  const running = await executor.start(request, new AbortController().signal);
  expect(await running.exit).toMatchObject({ code: 0 });
  const text = await readFile(join(folders.output, 'started.json'), 'utf8');
  const started = JSON.parse(text) as {
    environment: Record<string, string>;
    descriptors: string[];
  };
  for (const value of Object.values(SECRETS)) expect(text).not.toContain(value);
  for (const name of Object.keys(started.environment)) {
    expect(name).toMatch(
      /^(PATH|HOME|LANG|TZ|TMPDIR|SM_NEO_\w+|COMPILER_OPTIONS|BURNISH_(RESUME_DIR|STEP_FILE|PROGRESS_FILE|EXIT_FILE|THREADS)|__CF_USER_TEXT_ENCODING)$/,
    );
  }
  const files = started.descriptors.filter(
    (path) => path.startsWith('/') && !path.startsWith('/dev/') && !path.startsWith('/proc/'),
  );
  for (const file of files) expect(file.startsWith(folder) || file === PROGRAM).toBe(true);
});

it('the master key leaves the environment as soon as it is read', () => {
  const environment: NodeJS.ProcessEnv = { BURNISH_MASTER_KEY: 'key', PATH: '/bin' };
  expect(masterKeySources(environment)).toMatchObject({ key: 'key' });
  expect(environment).toEqual({ PATH: '/bin' });
  // A service that is started again in the same process has it still.
  expect(masterKeySources(environment)).toMatchObject({ key: 'key' });
});
