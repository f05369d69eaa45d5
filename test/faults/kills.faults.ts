import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  DescribeOptimizationJobCommand,
  type DescribeOptimizationJobCommandOutput,
  SageMakerClient,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { findStrays } from '../support/audit-strays.js';
import { createCommand } from '../support/create-request.js';
import { killFirstStep } from '../support/kill-step.js';
import { expectWhole } from '../support/published-result.js';
import { readAccessKey, startServiceProcess } from '../support/service-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** How many processes are killed; a full run takes 100 or more. */
const KILLS = Number(process.env.BURNISH_FAULT_KILLS ?? 25);
/** Jobs that are kept under way. */
const AT_ONCE = 6;
/** How often the service is told to end instead of being killed. */
const POLITELY = 0.2;
/** Of every so many jobs one is stopped by its client. */
const STOP_EVERY = 7;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORT = 4600 + (process.pid % 300);
const URL_OF_SERVICE = `http://127.0.0.1:${PORT}`;
const SETTINGS = [
  { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
  { OPTION_QUANTIZE: 'int8', OPTION_EVALUATE: 'false' },
  { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC', OPTION_EVALUATE: 'false' },
  {
    OPTION_QUANTIZE: 'gptq',
    OPTION_CALIB_SIZE: '8',
    OPTION_MAX_MODEL_LEN: '128',
    OPTION_EVALUATE: 'false',
  },
];

let dataDir: string;
let service: ChildProcess | undefined;
let client: SageMakerClient;
const accepted: string[] = [];
const killed = { 'the service': 0, optimizers: 0, both: 0 };

/** So that a failure can be repeated. */
const seed = Number(process.env.BURNISH_FAULT_SEED ?? Date.now() % 1_000_000);
const random = seededRandom(seed);

async function startService(): Promise<void> {
  const configuration = join(dataDir, 'faults.yaml');
  await writeFile(configuration, 'shutdown: { runningJobs: stop }\n');
  const options = ['--port', String(PORT), '--concurrent-jobs', '3', '--stop-grace-seconds', '2'];
  options.push('--config', configuration);
  service = (await startServiceProcess(dataDir, options)).process;
}

async function killService(): Promise<void> {
  const child = service;
  if (child === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  // Now and then it is asked to end, and takes its steps with it.
  child.kill(random() < POLITELY ? 'SIGTERM' : 'SIGKILL');
  await gone;
  await startService();
}

async function killOptimizers(): Promise<void> {
  const work = await readdir(join(dataDir, 'work')).catch(() => []);
  for (const job of work) await killFirstStep(dataDir, job);
}

async function createJob(): Promise<void> {
  const name = `job-${accepted.length}`;
  const command = createCommand({
    OptimizationJobName: name,
    OptimizationEnvironment: SETTINGS[accepted.length % SETTINGS.length] ?? {},
    OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
  });
  await client.send(command);
  accepted.push(name);
  if (accepted.length % STOP_EVERY === 0) {
    const stop = new StopOptimizationJobCommand({ OptimizationJobName: name });
    await client.send(stop).catch((error: Error) => {
      // It may have ended meanwhile.
      if (error.name !== 'ValidationException') throw error;
    });
  }
}

const describeJob = (name: string): Promise<DescribeOptimizationJobCommandOutput> =>
  client.send(new DescribeOptimizationJobCommand({ OptimizationJobName: name }));

async function unfinished(): Promise<number> {
  const jobs = await Promise.all(accepted.slice(-2 * AT_ONCE).map(describeJob));
  return jobs.filter((job) =>
    ['STARTING', 'INPROGRESS', 'STOPPING'].includes(job.OptimizationJobStatus ?? ''),
  ).length;
}

beforeAll(async () => {
  console.log(`seed ${seed} (set BURNISH_FAULT_SEED to repeat), ${KILLS} kills`);
  dataDir = temporaryFolder('faults');
  const model = join(ROOT, 'fixtures', 'shakespeare-llama');
  await cp(model, join(dataDir, 'buckets', 'models', 'source'), { recursive: true });
  await startService();
  client = new SageMakerClient({
    endpoint: URL_OF_SERVICE,
    region: 'us-east-1',
    credentials: await readAccessKey(dataDir),
  });
});

afterAll(async () => {
  service?.kill('SIGKILL');
  await killOptimizers();
});

describe('kills at random instants', () => {
  it('leave every accepted job in an end state, and every published result whole', async () => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      while ((await unfinished()) < AT_ONCE) await createJob();
      await delay(random() * 900);
      const victim = random();
      const both = victim > 0.3 && victim < 0.6;
      killed[both ? 'both' : victim < 0.5 ? 'the service' : 'optimizers'] += 1;
      if (victim > 0.3) await killOptimizers();
      if (victim < 0.6) await killService();
    }
    const killing = `${KILLS} kills: ${Object.entries(killed)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ')}`;
    for (const name of accepted) {
      for (;;) {
        const status = (await describeJob(name)).OptimizationJobStatus ?? '';
        if (['COMPLETED', 'FAILED', 'STOPPED'].includes(status)) break;
        await delay(50);
      }
    }

    const ends: Record<string, number> = {};
    const weightsOf = SETTINGS.map(() => new Set<string>());
    for (const name of accepted) {
      const job = await describeJob(name);
      const status = job.OptimizationJobStatus ?? '';
      ends[status] = (ends[status] ?? 0) + 1;
      const folder = join(dataDir, 'buckets', 'models', 'out', name);
      const files = await readdir(folder).catch(() => undefined);
      if (status === 'COMPLETED') {
        expect((await expectWhole(folder)).complete).toBe(true);
        const weights = createHash('sha256').update(
          await readFile(join(folder, 'model.safetensors')),
        );
        weightsOf[accepted.indexOf(name) % SETTINGS.length]?.add(weights.digest('hex'));
      } else {
        if (status === 'STOPPED' && files !== undefined) {
          expect(files, `${name} is stopped and has published a result`).toEqual(['partial']);
          const { complete } = await expectWhole(join(folder, 'partial', name));
          expect(complete).toBe(false);
        } else {
          expect(files, `${name} is ${status} and has published files`).toBeUndefined();
        }
        // The optimizer may have been killed; nothing else may make a job fail here.
        if (status === 'FAILED') expect(job.FailureReason, name).toContain('was killed');
      }
    }
    console.log(`${killing}; ${accepted.length} jobs:`, ends);
    expect(ends.COMPLETED).toBeGreaterThan(0);
    // However a job was interrupted, the same settings made the same bytes.
    for (const found of weightsOf) expect(found.size).toBeLessThanOrEqual(1);
    const gone = new Promise((resolve) => service?.once('exit', resolve));
    service?.kill('SIGTERM');
    await gone;
    expect(await findStrays(dataDir)).toEqual([]);
  });
});
