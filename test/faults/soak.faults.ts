import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateOptimizationJobCommand,
  type CreateOptimizationJobCommandInput,
  DeleteOptimizationJobCommand,
  DescribeOptimizationJobCommand,
  ListOptimizationJobsCommand,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRequest } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';

/** How many jobs are run; a full soak takes 1,000. */
const JOBS = Number(process.env.BURNISH_SOAK_JOBS ?? 60);
const CLIENTS = 4;
const ENDED = ['COMPLETED', 'FAILED', 'STOPPED'];
const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

let service: RunningService;

beforeAll(async () => {
  service = await startTestService({ concurrentJobs: 2, stopGraceSeconds: 2 });
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
});

afterAll(() => service.close());

const openFiles = async () => (await readdir('/proc/self/fd')).length;

/** What a job's states may follow each other; seen by polling, so some may be skipped. */
const ORDER = ['STARTING', 'INPROGRESS', 'STOPPING', 'COMPLETED', 'FAILED', 'STOPPED'];

describe('a soak of small jobs', () => {
  it('keeps its promises, and its memory and file descriptors flat', async () => {
    const { sagemaker } = service;
    const seen = new Map<string, string>();
    const deleted = new Set<string>();
    let created = 0;

    const observe = (name: string, status: string) => {
      const before = seen.get(name);
      if (before !== undefined && before !== status) {
        expect(ENDED, `${name} was ${before}, then ${status}`).not.toContain(before);
        expect(ORDER.indexOf(status)).toBeGreaterThan(ORDER.indexOf(before));
      }
      seen.set(name, status);
    };
    const actions = [
      async () => {
        const name = `soak-${created}`;
        created += 1;
        const request = createRequest({
          OptimizationJobName: name,
          OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
          OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
        });
        await sagemaker.send(
          new CreateOptimizationJobCommand(request as unknown as CreateOptimizationJobCommandInput),
        );
        seen.set(name, 'STARTING');
      },
      async () => {
        const { OptimizationJobSummaries = [] } = await sagemaker.send(
          new ListOptimizationJobsCommand({ SortOrder: 'Descending', MaxResults: 20 }),
        );
        expect(OptimizationJobSummaries.length).toBeLessThanOrEqual(20);
      },
      async (name: string) => {
        const job = await sagemaker
          .send(new DescribeOptimizationJobCommand({ OptimizationJobName: name }))
          .catch((error: Error) => error);
        if (job instanceof Error) expect(deleted.has(name), `${name}: ${job.message}`).toBe(true);
        else observe(name, job.OptimizationJobStatus ?? '');
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
        if (!ENDED.includes(seen.get(name) ?? '')) return;
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
          const waiting = [...seen.values()].filter((status) => !ENDED.includes(status)).length;
          if (waiting < 50) await actions[0]();
          else await delay(50);
        } else {
          await actions[chance](name);
        }
        await delay(5);
      }
    };

    await actions[0]();
    await service.ended('soak-0');
    globalThis.gc?.();
    const before = { files: await openFiles(), memory: process.memoryUsage().rss };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    for (const name of seen.keys()) {
      if (!deleted.has(name))
        observe(name, (await service.ended(name)).OptimizationJobStatus ?? '');
    }
    const after = { files: await openFiles(), memory: process.memoryUsage().rss };
    console.log(`${created} jobs; before`, before, 'after', after);
    // Sockets of the clients come and go; a leak would be one for every job.
    expect(after.files - before.files).toBeLessThan(Math.max(20, JOBS / 10));
    expect(after.memory - before.memory).toBeLessThan(150e6);
    expect(await readdir(join(service.dataDir, 'work'))).toEqual([]);
  });
});
