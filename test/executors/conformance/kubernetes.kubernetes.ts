import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BatchV1Api, NetworkingV1Api } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { createKubernetesExecutor } from '#burnish/executors/kubernetes/kubernetes-executor.js';
import type { KubernetesOptions } from '#burnish/executors/kubernetes/kubernetes-options.js';
import {
  administrator,
  CLAIM,
  evict,
  NAMESPACE,
  prepareNamespace,
  prepareVolume,
} from '../../support/kubernetes/prepare-namespace.js';
import { stepRequest } from '../../support/step-request.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { describeExecutor } from './executor-conformance.js';

const IMAGE = 'burnish-test/step-program:1';

let folder: string;
let options: KubernetesOptions;

describeExecutor('a Job of a Kubernetes cluster', async () => {
  folder = temporaryFolder('kubernetes-steps');
  const kubeconfig = await prepareNamespace(folder);
  await prepareVolume(folder);
  options = {
    kubeconfig,
    context: undefined,
    namespace: NAMESPACE,
    storage: { kind: 'volume', claim: CLAIM, root: folder },
    optimizerImage: 'burnish',
    imageMappings: [],
    imagePullSecrets: [],
    user: '0:0',
    instances: [
      {
        instanceType: 'ml.g5.*',
        nodeSelector: { 'burnish.dev/test-accelerator': 'a10g' },
        tolerations: [],
        acceleratorResource: undefined,
      },
    ],
    enforcesNetworkPolicies: true,
    networks: [{ subnet: 'subnet-1', securityGroupIds: ['sg-1'], cidrs: ['10.1.0.0/16'] }],
    cpus: 1,
    memoryBytes: 256 * 1024 ** 2,
    hopelessMs: 60_000,
  };
  return {
    folder,
    create: () => createKubernetesExecutor(options),
    image: IMAGE,
    settings: 'environment',
    protectsInput: true,
  };
});

describeExecutor('a Job of the built-in optimizer', async () => {
  const create = () => createKubernetesExecutor({ ...options, optimizerImage: IMAGE });
  return { folder, create, settings: 'data', protectsInput: true };
});

describe('a step in a Kubernetes cluster', () => {
  const requestOf = (job: string) =>
    stepRequest(folder, job, { image: IMAGE, environment: { OPTION_ACT: 'wait-for-term' } });

  it('has the network of its VpcConfig, which goes when it goes', async () => {
    const policies = administrator().makeApiClient(NetworkingV1Api);
    const list = async () =>
      (await policies.listNamespacedNetworkPolicy({ namespace: NAMESPACE })).items.filter(
        ({ metadata }) => metadata?.labels?.['burnish.dev/job'] === 'networked',
      );
    const executor = createKubernetesExecutor(options);
    const request = {
      ...(await requestOf('networked')),
      network: { subnets: ['subnet-1'], securityGroupIds: ['sg-1'] },
    };
    const running = await executor.start(request, new AbortController().signal);
    const log = () => readFile(request.logFile, 'utf8').catch(() => '');
    while (!(await log()).includes('acting')) await delay(50);
    await delay(100);
    const [policy] = await list();
    expect(policy?.spec).toMatchObject({
      podSelector: { matchLabels: { 'burnish.dev/job': 'networked' } },
      egress: [{ to: [{ ipBlock: { cidr: '10.1.0.0/16' } }] }],
      policyTypes: ['Ingress', 'Egress'],
    });
    running.signal('SIGTERM');
    expect(await running.exit).toMatchObject({ code: 143 });
    // Nobody removes it but the cluster's own garbage collection, by its owner.
    while ((await list()).length > 0) await delay(200);
    const jobs = administrator().makeApiClient(BatchV1Api);
    expect((await jobs.listNamespacedJob({ namespace: NAMESPACE })).items).toEqual([]);
  });

  it('ends clearly when its node can’t have its image', async () => {
    const executor = createKubernetesExecutor({ ...options, hopelessMs: 500 });
    const request = { ...(await requestOf('no-image')), image: 'burnish-test/nowhere:1' };
    const running = await executor.start(request, new AbortController().signal);
    expect(await running.exit).toMatchObject({
      code: undefined,
      reason: expect.stringContaining('ErrImagePull: no image burnish-test/nowhere:1'),
    });
  });

  it('names the node that the cluster takes it away on, and may begin again', async () => {
    const executor = createKubernetesExecutor(options);
    const request = await requestOf('evicted');
    const running = await executor.start(request, new AbortController().signal);
    const log = () => readFile(request.logFile, 'utf8').catch(() => '');
    while (!(await log()).includes('acting')) await delay(50);
    await delay(100);
    await evict('evicted');
    expect(await running.exit).toMatchObject({
      code: undefined,
      displaced: true,
      reason: expect.stringContaining('on the node stand-in (EvictionByEvictionAPI'),
    });
  });

  it('is refused what the cluster can not keep, and says when there is none', async () => {
    const demand = {
      technique: 'quantization',
      image: IMAGE,
      instanceType: 'ml.g5.xlarge',
    } as const;
    const network = { subnets: ['subnet-2'], securityGroupIds: [] };
    const executor = createKubernetesExecutor(options);
    expect(await executor.refusal({ ...demand, network })).toContain('subnet-2');
    const elsewhere = createKubernetesExecutor({ ...options, namespace: 'kube-system' });
    expect(await elsewhere.refusal({ ...demand, network: undefined })).toContain('forbidden');
  });
});
