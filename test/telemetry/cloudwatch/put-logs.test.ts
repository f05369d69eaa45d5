import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCloudWatchLogs } from '#burnish/telemetry/cloudwatch/log-sink.js';
import { LogPutter } from '#burnish/telemetry/cloudwatch/put-logs.js';
import { MetricPutter, openCloudWatchMetrics } from '#burnish/telemetry/cloudwatch/put-metrics.js';
import { JobLogs } from '#burnish/telemetry/job-log.js';
import { createLogger } from '#burnish/telemetry/logger.js';
import { rotateLog } from '#burnish/telemetry/rotate-log.js';
import {
  type CloudWatchStandIn,
  startCloudWatchStandIn,
} from '../../support/cloudwatch-stand-in.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const GROUP = '/aws/sagemaker/OptimizationJobs';
const STREAM = `${GROUP} job/1-quantization`;

let root: string;
let file: string;
let standIn: CloudWatchStandIn;
const logger = createLogger('silent');

beforeEach(async () => {
  root = temporaryFolder('put');
  await mkdir(join(root, 'job'));
  file = join(root, 'job', '1-quantization.log');
  standIn = await startCloudWatchStandIn();
  process.env.AWS_ACCESS_KEY_ID = 'AKIAEXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});

afterEach(async () => {
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  standIn.close();
});

const endpoint = () => ({ region: 'eu-central-1', endpoint: standIn.url });

async function putter(running: readonly string[] = ['job']): Promise<LogPutter> {
  const sink = await openCloudWatchLogs(endpoint(), GROUP);
  return new LogPutter(new JobLogs(root), sink, () => running, logger);
}

const taken = () => (standIn.events.get(STREAM) ?? []).map(({ message }) => message);

const at = (second: number) => `2026-01-02T03:04:${String(second).padStart(2, '0')}.000Z`;

describe('LogPutter', () => {
  it('makes group and stream, and puts what is new, line by line, with its time', async () => {
    const logs = await putter();
    await appendFile(file, `${at(1)} one\n${at(2)} two\n  more of two\n${at(3)} thr`);
    await logs.look();
    await appendFile(file, `ee\n`);
    await logs.look();
    await logs.close();
    expect(taken()).toEqual(['one', 'two', '  more of two', 'three']);
    expect(standIn.events.get(STREAM)?.[0]?.timestamp).toBe(Date.UTC(2026, 0, 2, 3, 4, 1));
    expect([...standIn.groups]).toEqual([GROUP]);
    expect(standIn.requests.PutLogEvents).toBe(3);
  });

  it('leaves nothing out when the endpoint is away for a while', async () => {
    const logs = await putter();
    await appendFile(file, 'one\n');
    standIn.failing = Number.POSITIVE_INFINITY;
    await logs.look();
    await appendFile(file, 'two\n');
    await logs.look();
    expect(taken()).toEqual([]);
    standIn.failing = 2;
    await logs.look();
    expect(taken()).toEqual(['one', 'two']);
    await logs.close();
  });

  it('goes on where an earlier process of the service was, also for jobs that have ended', async () => {
    const first = await putter();
    await appendFile(file, 'one\n');
    await first.look();
    await first.close();
    await appendFile(file, 'two\n');
    const second = await putter([]);
    await second.start();
    await second.look();
    await second.close();
    expect(taken()).toEqual(['one', 'two']);
  });

  it('goes on over rotations', async () => {
    const logs = await putter();
    const lines = Array.from({ length: 400 }, (_, index) => `line ${index} ${'x'.repeat(50)}`);
    for (const [index, line] of lines.entries()) {
      await appendFile(file, `${line}\n`);
      if (index % 70 === 0) await logs.look();
      if (index % 90 === 0) await rotateLog(file, { maxBytes: 40_000 });
    }
    await logs.close();
    expect(taken()).toEqual(lines);
  });
});

describe('MetricPutter', () => {
  it('puts what was counted in a period, and what failed with the next', async () => {
    const sink = await openCloudWatchMetrics(endpoint(), 'Burnish');
    const metrics = new MetricPutter(
      sink,
      async () => new Map([['INPROGRESS', 2]]),
      60_000,
      logger,
    );
    metrics.jobStarted(4);
    metrics.jobEnded('COMPLETED', 10);
    metrics.jobEnded('COMPLETED', 30);
    metrics.requestAnswered('json', 200, 0.5);
    metrics.requestAnswered('json', 500, 1.5);
    standIn.failing = Number.POSITIVE_INFINITY;
    await metrics.put();
    expect(standIn.metrics).toEqual([]);
    standIn.failing = 0;
    metrics.jobEnded('COMPLETED', 50);
    metrics.resultPublished(1000);
    await metrics.close();
    const found = (name: string) => standIn.metrics.filter((metric) => metric.name === name);
    expect(found('JobDuration')).toEqual([
      {
        namespace: 'Burnish',
        name: 'JobDuration',
        unit: 'Seconds',
        dimensions: { Status: 'COMPLETED' },
        count: 3,
        sum: 90,
        least: 10,
        most: 50,
      },
    ]);
    expect(found('QueueWait')).toMatchObject([{ count: 1, sum: 4 }]);
    expect(found('PublishedBytes')).toMatchObject([{ sum: 1000, unit: 'Bytes' }]);
    expect(found('RequestErrors')).toMatchObject([{ count: 2, sum: 1 }]);
    expect(found('Jobs')).toMatchObject([{ dimensions: { Status: 'INPROGRESS' }, most: 2 }]);
    expect(found('ServiceMemory')[0]?.most).toBeGreaterThan(1e6);
  });
});
