import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  DeleteOptimizationJobCommand,
  DescribeOptimizationJobCommand,
  ListOptimizationJobsCommand,
  SageMakerClient,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findStrays } from '../support/audit-strays.js';
import { createCommand } from '../support/create-request.js';
import {
  readAccessKey,
  type ServiceProcess,
  sizeOfProcess,
  startServiceProcess,
} from '../support/service-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { END_STATES, untilEnded } from '../support/until-ended.js';

/** How many jobs are run; a full soak takes 1,000. */
const JOBS = Number(process.env.BURNISH_SOAK_JOBS ?? 60);
const CLIENTS = 4;
const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

/** How often the service's size is looked at. */
const SAMPLES = 10;

let dataDir: string;
let service: ServiceProcess;
let sagemaker: SageMakerClient;

beforeAll(async () => {
  dataDir = temporaryFolder('soak');
  await cp(MODEL, join(dataDir, 'buckets', 'models', 'source'), { recursive: true });
  service = await startServiceProcess(dataDir, ['--port', '0', '--stop-grace-seconds', '2']);
  const credentials = await readAccessKey(dataDir);
  sagemaker = new SageMakerClient({ endpoint: service.url, region: 'us-east-1', credentials });
});

afterAll(async () => {
  service?.process.kill('SIGKILL');
});

async function ended(name: string): Promise<string> {
  return (await untilEnded(sagemaker, name)).OptimizationJobStatus ?? '';
}

/** What a job's states may follow each other; seen by polling, so some may be skipped. */
const ORDER = ['STARTING', 'INPROGRESS', 'STOPPING', 'COMPLETED', 'FAILED', 'STOPPED'];

describe('a soak of small jobs', () => {
  it('keeps its promises, and its memory and file descriptors flat', async () => {
    const seen = new Map<string, string>();
    const deleted = new Set<string>();
    let created = 0;

    /** @param before what was seen when this was asked for: answers may overtake each other */
    const observe = (name: string, status: string, before = seen.get(name)) => {
      if (before !== undefined && before !== status) {
        expect(END_STATES, `${name} was ${before}, then ${status}`).not.toContain(before);
        expect(ORDER.indexOf(status)).toBeGreaterThan(ORDER.indexOf(before));
      }
      if (ORDER.indexOf(status) > ORDER.indexOf(seen.get(name) ?? '')) seen.set(name, status);
    };
    const actions = [
      async () => {
        const name = `soak-${created}`;
        created += 1;
        const command = createCommand({
          OptimizationJobName: name,
          OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
          OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
        });
        await sagemaker.send(command);
        observe(name, 'STARTING');
      },
      async () => {
        const { OptimizationJobSummaries = [] } = await sagemaker.send(
          new ListOptimizationJobsCommand({ SortOrder: 'Descending', MaxResults: 20 }),
        );
        expect(OptimizationJobSummaries.length).toBeLessThanOrEqual(20);
      },
      async (name: string) => {
        const before = seen.get(name);
        const job = await sagemaker
          .send(new DescribeOptimizationJobCommand({ OptimizationJobName: name }))
          .catch((error: Error) => error);
        if (job instanceof Error) expect(deleted.has(name), `${name}: ${job.message}`).toBe(true);
        else observe(name, job.OptimizationJobStatus ?? '', before);
      },
      async (name: string) => {
        const refused = await sagemaker
          .send(new StopOptimizationJobCommand({ OptimizationJobName: name }))
          .then(
            () => undefined,
            (error: Error) => error.name,
          );
        expect([undefined, 'ValidationException', 'ResourceNotFound']).toContain(refused);
      },
      async (name: string) => {
        if (!END_STATES.includes(seen.get(name) ?? '')) return;
        deleted.add(name);
        await sagemaker
          .send(new DeleteOptimizationJobCommand({ OptimizationJobName: name }))
          .catch((error: Error) => expect(error.name).toBe('ResourceNotFound'));
      },
    ] as const;
    // Describing is what clients do most; stopping and deleting is rare.
    const chances = [0, 0, 0, 1, 2, 2, 2, 2, 3, 4] as const;

    const client = async () => {
      while (created < JOBS) {
        const names = [...seen.keys()];
        const name = names[Math.floor(Math.random() * names.length)];
        const chance = chances[Math.floor(Math.random() * chances.length)] ?? 0;
        if (name === undefined || chance === 0) {
          const waiting = [...seen.values()].filter(
            (status) => !END_STATES.includes(status),
          ).length;
          if (waiting < 50) await actions[0]();
          else await delay(50);
        } else {
          await actions[chance](name);
        }
        await delay(5);
      }
    };

    const samples: { readonly jobs: number; readonly memory: number; readonly files: number }[] =
      [];
    const sample = async () => {
      const size = await sizeOfProcess(service.process.pid ?? Number.NaN);
      samples.push({ jobs: created, ...size });
      console.log(
        `after ${created} jobs: ${Math.round(size.memory / 1e6)} MB, ${size.files} files`,
      );
    };
    const watch = async () => {
      for (let next = JOBS / SAMPLES; next < JOBS; next += JOBS / SAMPLES) {
        while (created < next) await delay(100);
        await sample();
      }
    };
    await Promise.all([watch(), ...Array.from({ length: CLIENTS }, client)]);
    for (const name of seen.keys()) if (!deleted.has(name)) observe(name, await ended(name));
    await sample();
    const ends: Record<string, number> = {};
    for (const status of seen.values()) ends[status] = (ends[status] ?? 0) + 1;
    console.log(`${created} jobs, ${deleted.size} deleted:`, ends);

    // Caches fill in the first part of a soak; behind it nothing may grow with the number of jobs.
    const [early, late] = [samples[Math.floor(samples.length / 3)], samples.at(-1)];
    expect((late?.files ?? 0) - (early?.files ?? 0)).toBeLessThan(20);
    expect((late?.memory ?? 0) - (early?.memory ?? 0)).toBeLessThan(60e6);
    const gone = once(service.process, 'exit');
    service.process.kill('SIGTERM');
    await gone;
    expect(await findStrays(dataDir)).toEqual([]);
  });
});
