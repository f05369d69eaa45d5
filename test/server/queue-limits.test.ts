import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DescribeOptimizationJobCommand,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCommand } from '../support/create-request.js';
import { holdStep } from '../support/hold-step.js';
import { type RunningService, startTestService } from '../support/running-service.js';

// Whole jobs, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

let service: RunningService;

beforeEach(async () => {
  service = await startTestService({
    concurrentJobs: 1,
    maxQueuedJobs: 1,
    stopGraceSeconds: 1,
    file: { scheduling: { memoryBytes: 2e9 } },
  });
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
});

afterEach(() => service.close());

function create(name: string, technique: string) {
  const command = createCommand({
    OptimizationJobName: name,
    OptimizationEnvironment: { OPTION_QUANTIZE: technique },
    OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
  });
  return service.sagemaker.send(command);
}

async function statusOf(name: string): Promise<string> {
  const describeJob = new DescribeOptimizationJobCommand({ OptimizationJobName: name });
  return (await service.sagemaker.send(describeJob)).OptimizationJobStatus ?? '';
}

describe('a full queue', () => {
  it('takes no more jobs until there is room', async () => {
    await create('runs', 'rtn');
    await holdStep(service.dataDir, 'runs');
    await create('waits', 'rtn');
    await expect(create('refused', 'rtn')).rejects.toMatchObject({
      name: 'ResourceLimitExceeded',
      message: expect.stringContaining('1 optimization jobs are waiting'),
    });
    const stop = new StopOptimizationJobCommand({ OptimizationJobName: 'waits' });
    await service.sagemaker.send(stop);
    await create('taken', 'rtn');
    expect(await statusOf('taken')).toBe('STARTING');
    const stopRunning = new StopOptimizationJobCommand({ OptimizationJobName: 'runs' });
    await service.sagemaker.send(stopRunning);
    expect((await service.ended('taken')).OptimizationJobStatus).toBe('COMPLETED');
  });
});
