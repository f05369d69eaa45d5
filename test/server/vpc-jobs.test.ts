import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  probeIsolation,
  probeUplink,
} from '#burnish/executors/local-process/isolation/probe-isolation.js';
import { type RunningService, startTestService } from '../support/running-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

let service: RunningService;

beforeAll(async () => {
  const dataDir = temporaryFolder('vpc');
  const securityGroups = [
    { id: 'sg-closed', allows: undefined },
    { id: 'sg-hub', allows: ['10.0.0.5'] },
  ];
  const networks = [{ vpc: 'vpc-a', subnets: ['subnet-a'], securityGroups }];
  service = await startTestService({ dataDir, file: { networks } });
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
});
afterAll(() => service.close());

function create(name: string, Subnets: string[], SecurityGroupIds: string[]) {
  return service.create(name, { VpcConfig: { Subnets, SecurityGroupIds } });
}

const { network } = await probeIsolation();
const connects = (await probeUplink()) === undefined;

describe('a job with a VpcConfig', () => {
  it.runIf(network)('runs without a network, and says what it was given', async () => {
    await create('closed', ['subnet-a'], ['sg-closed']);
    expect(await service.ended('closed')).toMatchObject({
      OptimizationJobStatus: 'COMPLETED',
      VpcConfig: { Subnets: ['subnet-a'], SecurityGroupIds: ['sg-closed'] },
    });
  });

  it.skipIf(network)('is refused where the machine can’t isolate, never run open', async () => {
    await expect(create('open', ['subnet-a'], ['sg-closed'])).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("can't cut a step off"),
    });
  });

  it.runIf(connects)('runs in a group that allows some addresses', async () => {
    await create('hub', ['subnet-a'], ['sg-hub']);
    expect(await service.ended('hub')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
  });

  it.skipIf(connects)('is refused where the machine can’t hold it to addresses', async () => {
    await expect(create('hub', ['subnet-a'], ['sg-hub'])).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(/VpcConfig.*can't/),
    });
  });

  it('is refused when it names what is not configured', async () => {
    await expect(create('refused', ['subnet-x'], ['sg-closed'])).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("The subnet ID 'subnet-x' does not exist"),
    });
  });
});
