import type { ChildProcess } from 'node:child_process';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SageMakerClient, StopOptimizationJobCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { contentOf } from '../optimizer/resuming/support.js';
import { createCommand } from '../support/create-request.js';
import { killFirstStep } from '../support/kill-step.js';
import { expectWhole } from '../support/published-result.js';
import { readAccessKey, startServiceProcess } from '../support/service-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { untilEnded } from '../support/until-ended.js';

/** How often a piece of work is broken off before it is let come to its end. */
const BREAKS = Number(process.env.BURNISH_FAULT_BREAKS ?? 3);

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const PORT = 4900 + (process.pid % 90);
const CALIBRATED = {
  OPTION_CALIB_SIZE: '24',
  OPTION_CALIB_DATASET: 's3://models/calibration.txt',
  OPTION_EVALUATE: 'false',
};
const SETTINGS = [
  { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
  { OPTION_QUANTIZE: 'smoothquant', ...CALIBRATED },
  { OPTION_QUANTIZE: 'gptq', ...CALIBRATED },
  { OPTION_QUANTIZE: 'awq', ...CALIBRATED },
] as const;

let dataDir: string;
let service: ChildProcess;
let client: SageMakerClient;

/** So that a failure can be repeated. */
const seed = Number(process.env.BURNISH_FAULT_SEED ?? Date.now() % 1_000_000);
const random = seededRandom(seed);

async function startService(): Promise<void> {
  const options = ['--port', String(PORT), '--concurrent-jobs', '1', '--stop-grace-seconds', '30'];
  service = (await startServiceProcess(dataDir, options)).process;
}

async function create(
  name: string,
  output: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const command = createCommand({
    OptimizationJobName: name,
    OptimizationEnvironment: environment,
    OutputConfig: { S3OutputLocation: `s3://models/${output}` },
  });
  await client.send(command);
}

const ended = (name: string) => untilEnded(client, name);

/** Ways to break off a job. */
const BREAKERS: readonly ((name: string) => Promise<void>)[] = [
  async (name) => {
    // It may have ended by itself meanwhile.
    await client
      .send(new StopOptimizationJobCommand({ OptimizationJobName: name }))
      .catch(() => undefined);
  },
  (name) => killFirstStep(dataDir, name),
  async (name) => {
    // As when the machine fails: all of it at once.
    const gone = new Promise((resolve) => service.once('exit', resolve));
    service.kill('SIGKILL');
    await gone;
    await BREAKERS[1]?.(name);
    await startService();
    // Left alone, it goes on by itself.
    if (random() < 0.5) await BREAKERS[0]?.(name);
  },
];

const outputOf = (name: string) => join(dataDir, 'buckets', 'models', name);

async function expectLoadable(folder: string): Promise<void> {
  const report = await expectWhole(folder);
  expect(report.complete).toBe(false);
  expect(report.steps.at(-1).layers.length).toBeGreaterThan(0);
}

beforeAll(async () => {
  console.log(`seed ${seed} (set BURNISH_FAULT_SEED to repeat), ${BREAKS} breaks of each`);
  dataDir = temporaryFolder('faults');
  const bucket = join(dataDir, 'buckets', 'models');
  await cp(join(FIXTURES, 'shakespeare-llama'), join(bucket, 'source'), { recursive: true });
  await cp(join(FIXTURES, 'shakespeare-llama-calibration.txt'), join(bucket, 'calibration.txt'));
  await startService();
  client = new SageMakerClient({
    endpoint: `http://127.0.0.1:${PORT}`,
    region: 'us-east-1',
    credentials: await readAccessKey(dataDir),
  });
});

afterAll(async () => {
  service?.kill('SIGKILL');
});

describe('work that is broken off at random instants', () => {
  it.each(SETTINGS)('$OPTION_QUANTIZE gives the same bytes when it goes on', async (settings) => {
    const work = settings.OPTION_QUANTIZE;
    const began = performance.now();
    await create(`${work}-whole`, `${work}-whole`, settings);
    expect(await ended(`${work}-whole`)).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const duration = performance.now() - began;
    const ends: string[] = [];
    let from: string | undefined;
    let resumed = 0;
    for (let attempt = 0; ; attempt += 1) {
      const name = `${work}-${attempt}`;
      const more = from === undefined ? {} : { OPTION_RESUME_FROM: from };
      await create(name, work, { ...settings, ...more });
      const breaker = BREAKERS[Math.floor(random() * BREAKERS.length)];
      if (attempt < BREAKS) {
        await delay(random() * duration);
        await breaker?.(name);
      }
      const { OptimizationJobStatus: status = '', FailureReason: reason } = await ended(name);
      ends.push(status);
      if (status === 'COMPLETED') break;
      if (status === 'FAILED') expect(reason).toContain('was killed');
      expect(attempt, reason).toBeLessThan(BREAKS);
      const kept = await readdir(join(dataDir, 'checkpoints')).catch(() => []);
      expect(kept.length).toBeLessThanOrEqual(1);
      // Where nothing was finished, what was there before stays where it was.
      from = kept[0];
      if (from !== undefined) resumed += 1;
      const partial = join(outputOf(work), 'partial', name);
      if (
        (await readdir(join(outputOf(work), 'partial')).catch(() => [] as string[])).includes(name)
      ) {
        await expectLoadable(partial);
      }
    }
    console.log(`${work}: ${ends.join(', ')}; went on ${resumed} times`);
    expect(await contentOf(outputOf(work))).toEqual(await contentOf(outputOf(`${work}-whole`)));
    expect(await readdir(join(dataDir, 'checkpoints')).catch(() => [])).toEqual([]);
    expect(await readdir(join(dataDir, 'work'))).toEqual([]);
  });
});
