import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand } from '../support/create-request.js';
import { type FaultyProxy, startFaultyProxy } from '../support/faulty-proxy.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const JOBS = 6;

let store: RunningService;
let proxy: FaultyProxy;
let service: RunningService;

beforeAll(async () => {
  store = await startTestService();
  await cp(MODEL, join(store.dataDir, 'buckets', 'models', 'source'), { recursive: true });
  proxy = await startFaultyProxy(store.url, {
    throttled: 0.06,
    failed: 0.06,
    dropped: 0.04,
    truncated: 0.04,
    delayed: 0.05,
    delayMs: 300,
  });
  process.env.AWS_ACCESS_KEY_ID = store.credentials.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = store.credentials.secretAccessKey;
  service = await startTestService({
    s3Endpoint: { endpoint: proxy.url, region: 'us-east-1', pathStyle: true },
  });
});

afterAll(async () => {
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  await service?.close();
  proxy?.close();
  await store?.close();
});

describe('an object store that fails now and then', () => {
  it('costs time, and no job', async () => {
    let told = 0;
    for (let index = 0; index < JOBS; index += 1) {
      const name = `job-${index}`;
      const command = createCommand({
        OptimizationJobName: name,
        OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
        OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
      });
      await service.sagemaker.send(command);
      const job = await service.ended(name);
      expect(job.FailureReason).toBeUndefined();
      expect(job.OptimizationJobStatus).toBe('COMPLETED');
      const files = await readdir(join(store.dataDir, 'buckets', 'models', 'out', name));
      expect(files).toContain('optimization-report.json');
      expect(files).toContain('model.safetensors');
      const report = await readFile(
        join(store.dataDir, 'buckets', 'models', 'out', name, 'optimization-report.json'),
        'utf8',
      );
      const { staging, publishing } = JSON.parse(report).transientFaults;
      told += staging.total + publishing.total;
      const counts: number[] = Object.values({ ...staging.byKind });
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(staging.total);
    }
    console.log('faults met:', proxy.counts, 'told in reports:', told);
    expect(told).toBeGreaterThan(0);
    expect(Object.keys(proxy.counts).length).toBeGreaterThan(2);
  });
});
