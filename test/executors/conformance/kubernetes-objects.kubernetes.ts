import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { createKubernetesExecutor } from '#burnish/executors/kubernetes/kubernetes-executor.js';
import { readErrorFile } from '#burnish/executors/read-error-file.js';
import { readResultObjects } from '#burnish/executors/step-objects.js';
import {
  IMAGE,
  type ObjectSteps,
  prepareObjectSteps,
} from '../../support/kubernetes/object-steps.js';
import { evict } from '../../support/kubernetes/prepare-namespace.js';
import { stepRequest } from '../../support/step-request.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { describeExecutor } from './executor-conformance.js';

let folder: string;
let steps: ObjectSteps;

afterAll(() => steps.server.close());

describeExecutor('a Job that reads its model from S3', async () => {
  folder = temporaryFolder('kubernetes-objects');
  steps = await prepareObjectSteps(folder, 'conformance-credentials');
  return {
    folder,
    create: () => createKubernetesExecutor(steps.options),
    image: IMAGE,
    settings: 'environment',
    ready: steps.ready,
    foldersOf: steps.foldersOf,
    resultOf: steps.resultOf,
    protectsInput: true,
  };
});

describe('a step whose model is in S3', () => {
  const requestOf = async (job: string, act: string) =>
    steps.ready(await stepRequest(folder, job, { image: IMAGE, environment: { OPTION_ACT: act } }));
  const { signal } = new AbortController();
  const staged = async () =>
    (await steps.store.list('models', { prefix: 'staging/staged/' })).objects.map(({ key }) => key);

  it('leaves its result and the list of it in the staging location, until it is discarded', async () => {
    const executor = createKubernetesExecutor(steps.options);
    const request = await requestOf('staged', 'succeed');
    expect(await (await executor.start(request, signal)).exit).toMatchObject({ code: 0 });
    const files = (await readResultObjects(request.folders)) ?? [];
    expect(files.map(({ name }) => name).sort()).toEqual([
      'config.json',
      'optimization-report.json',
      'trace.json',
    ]);
    const trace = await readFile(join(await steps.resultOf(request), 'trace.json'), 'utf8');
    // The Secret is for the containers that fetch and upload alone.
    expect(trace).not.toContain('AWS_');
    expect(await staged()).toHaveLength(files.length + 2);
    await executor.objects?.discard(request);
    expect(await staged()).toEqual([]);
  });

  it('fails clearly when its model was changed since it was listed', async () => {
    const executor = createKubernetesExecutor(steps.options);
    const request = await requestOf('changed', 'succeed');
    await writeFile(join(request.inputFolder, 'config.json'), '{"changed":true}');
    await steps.ready(request);
    expect((await (await executor.start(request, signal)).exit).code).toBe(1);
    expect(await readErrorFile(request.folders.errorFile)).toContain(
      'sources/changed/config.json" changed while it was being read',
    );
  });

  it('begins again in another pod when the cluster takes its own away', async () => {
    const executor = createKubernetesExecutor(steps.options);
    const request = await requestOf('evicted', 'wait-for-term');
    const running = await executor.start(request, signal);
    const log = () => readFile(request.logFile, 'utf8').catch(() => '');
    while (!(await log()).includes('acting')) await delay(50);
    await delay(100);
    await evict('evicted');
    while ((await log()).match(/acting/g)?.length !== 2) await delay(50);
    expect(await log()).toMatch(
      /The cluster took the step’s pod away on the node stand-in \(EvictionByEvictionAPI.*It begins|begins again in another/,
    );
    await delay(100);
    running.signal('SIGTERM');
    expect(await running.exit).toMatchObject({ code: 143 });
  });

  it('is refused an image where pods are who their service account is', async () => {
    const storage = { ...steps.storage, credentialsSecret: undefined, serviceAccount: 'optimizer' };
    const executor = createKubernetesExecutor({ ...steps.options, storage });
    const demand = { technique: 'quantization', instanceType: 'ml.g5.xlarge' } as const;
    const refusal = await executor.refusal({ ...demand, image: IMAGE, network: undefined });
    expect(refusal).toContain('credentialsSecret');
    expect(await executor.refusal({ ...demand, network: undefined })).toBeUndefined();
  });
});
