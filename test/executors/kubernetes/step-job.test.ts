import { describe, expect, it } from 'vitest';
import { ExecutorError, type StepRequest } from '#burnish/executors/executor.js';
import type { KubernetesOptions } from '#burnish/executors/kubernetes/kubernetes-options.js';
import { withWholeTime } from '#burnish/executors/kubernetes/pod-log.js';
import { placementOf, stepJob } from '#burnish/executors/kubernetes/step-job.js';
import { addressesOf, networkPolicy } from '#burnish/executors/kubernetes/step-network.js';
import { imageOf, jobExit, podState } from '#burnish/executors/kubernetes/step-state.js';
import { stepFolders } from '#burnish/executors/step-folders.js';
import { validateManifest } from '../../support/kubernetes/validate-manifest.js';

const VOLUME = { kind: 'volume', claim: 'data', root: '/mnt/data' } as const;

const OPTIONS: KubernetesOptions = {
  kubeconfig: undefined,
  context: undefined,
  namespace: 'burnish',
  storage: VOLUME,
  optimizerImage: 'burnish',
  imageMappings: [{ from: 'ecr.example', to: 'mirror.example' }],
  imagePullSecrets: ['registry'],
  user: '1000:1001',
  instances: [
    {
      instanceType: 'ml.g5.*',
      nodeSelector: { accelerator: 'a10g' },
      tolerations: ['nvidia.com/gpu'],
      acceleratorResource: 'nvidia.com/gpu',
    },
  ],
  enforcesNetworkPolicies: true,
  networks: [{ subnet: 'subnet-1', securityGroupIds: ['sg-1'], cidrs: ['10.1.0.0/16'] }],
  cpus: 2,
  memoryBytes: undefined,
  hopelessMs: 300_000,
};

const REQUEST: StepRequest = {
  job: 'My-Job-1',
  step: 0,
  technique: 'quantization',
  image: 'ecr.example/lmi:1',
  environment: {},
  deployment: { instanceType: 'ml.g5.12xlarge', accelerator: 'A10G', count: 4, memoryGb: 24 },
  datasets: {},
  inputFolder: '/mnt/data/buckets/models/source',
  folders: stepFolders('/mnt/data/work/My-Job-1', 0),
  logFile: '/mnt/data/logs/My-Job-1/1-quantization.log',
  deadline: Date.now() + 1000_000,
  graceMs: 120_000,
  resources: { memoryBytes: 5e9, gpus: 1 },
};

const STEP = {
  environment: { A: 'a$(B)c' },
  mounts: [
    { source: REQUEST.inputFolder, target: '/opt/ml/model/input', readOnly: true },
    { source: REQUEST.folders.output, target: '/opt/ml/model/compiled', readOnly: false },
  ],
  command: undefined,
};

describe('the Job of a step', () => {
  const job = stepJob('burnish-1', REQUEST, STEP, OPTIONS, VOLUME);
  const pod = job.spec?.template.spec;
  const [container] = pod?.containers ?? [];

  it('is what the API takes', () => {
    expect(validateManifest(job)).toEqual([]);
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'burnish-1', uid: 'u' };
    expect(validateManifest(networkPolicy('burnish-1', {}, ['10.1.0.0/16'], owner))).toEqual([]);
    // The check itself notices what is wrong.
    expect(validateManifest({ ...job, spec: { ...job.spec, backoffLimit: 'none' } })).toEqual([
      'spec.backoffLimit: integer expected',
    ]);
    expect(validateManifest({ ...job, spec: { ...job.spec, retries: 1 } })).toEqual([
      'spec.retries: unknown',
    ]);
  });

  it('is tried once, with the cluster’s deadline behind the service’s', () => {
    expect(job.spec?.backoffLimit).toBe(0);
    expect(pod?.restartPolicy).toBe('Never');
    expect(pod?.terminationGracePeriodSeconds).toBe(120);
    expect(job.spec?.activeDeadlineSeconds).toBeGreaterThan(1000 + 120);
  });

  it('has no privileges, and no network until its policy is in place', () => {
    expect(job.spec?.suspend).toBe(true);
    expect(pod?.automountServiceAccountToken).toBe(false);
    expect(pod?.securityContext).toMatchObject({
      runAsUser: 1000,
      runAsGroup: 1001,
      runAsNonRoot: true,
    });
    expect(container?.securityContext).toEqual({
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('runs where its deployment instance does, with what it needs', () => {
    expect(pod?.nodeSelector).toEqual({ accelerator: 'a10g' });
    expect(pod?.tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists' }]);
    const resources = { cpu: '2000m', memory: '5000000000', 'nvidia.com/gpu': '1' };
    expect(container?.resources).toEqual({ requests: resources, limits: resources });
    expect(container?.image).toBe('mirror.example/lmi:1');
    expect(placementOf('ml.p5.48xlarge', OPTIONS.instances)).toBeUndefined();
  });

  it('sees its own folders of the volume, and its variables as they are', () => {
    expect(container?.volumeMounts).toEqual([
      {
        name: 'data',
        mountPath: '/opt/ml/model/input',
        subPath: 'buckets/models/source',
        readOnly: true,
      },
      {
        name: 'data',
        mountPath: '/opt/ml/model/compiled',
        subPath: 'work/My-Job-1/step-1/compiled',
        readOnly: false,
      },
    ]);
    expect(container?.env).toEqual([{ name: 'A', value: 'a$$(B)c' }]);
    const elsewhere = { ...VOLUME, root: '/mnt/other' };
    expect(() => stepJob('burnish-1', REQUEST, STEP, OPTIONS, elsewhere)).toThrow(ExecutorError);
  });
});

describe('the network of a step', () => {
  const asked = { subnets: ['subnet-1'], securityGroupIds: ['sg-1'] };

  it('is closed without a VpcConfig, and open to what stands for its subnets with one', () => {
    expect(addressesOf(undefined, OPTIONS)).toEqual([]);
    expect(addressesOf(asked, OPTIONS)).toEqual(['10.1.0.0/16']);
  });

  it.each([
    ['the cluster enforces none', asked, { ...OPTIONS, enforcesNetworkPolicies: false }],
    ['a subnet stands for nothing', { ...asked, subnets: ['subnet-2'] }, OPTIONS],
    ['a security group is not kept', { ...asked, securityGroupIds: ['sg-2'] }, OPTIONS],
  ])('is refused where %s', (_, network, options) => {
    expect(() => addressesOf(network, options)).toThrow(/^VpcConfig: /);
  });
});

describe('what a pod says', () => {
  const pod = (state: object, phase = 'Running') => ({
    status: {
      phase,
      containerStatuses: [
        {
          name: 'step',
          image: 'i',
          imageID: `r@sha256:${'a'.repeat(64)}`,
          ready: false,
          restartCount: 0,
          state,
        },
      ],
    },
  });

  it('is read for how its step ended', () => {
    expect(podState(pod({ running: {} }))).toMatchObject({ started: true, exit: undefined });
    expect(podState(pod({ terminated: { exitCode: 3 } })).exit).toMatchObject({ code: 3 });
    const killed = podState(pod({ terminated: { exitCode: 137, reason: 'OOMKilled' } }));
    expect(killed.exit?.reason).toContain('memory');
    expect(podState(pod({ waiting: { reason: 'ImagePullBackOff' } })).hopeless).toContain('Image');
    const evicted = { status: { phase: 'Failed', reason: 'Evicted', message: 'disk is full' } };
    expect(podState(evicted).exit?.reason).toContain('Evicted: disk is full');
    const failed = { type: 'Failed', status: 'True', reason: 'DeadlineExceeded' };
    expect(jobExit({ status: { conditions: [failed] } })?.reason).toContain('DeadlineExceeded');
  });

  it('has the digest of its image', () => {
    expect(imageOf(pod({}))?.digest).toBe(`sha256:${'a'.repeat(64)}`);
  });

  it.each([
    ['2026-01-02T03:04:05.12Z a', '2026-01-02T03:04:05.120000000Z a'],
    ['2026-01-02T03:04:05Z a', '2026-01-02T03:04:05.000000000Z a'],
    ['2026-01-02T05:04:05.123456789+02:00 a', '2026-01-02T03:04:05.123456789Z a'],
  ])('comes with times that sort as text: %s', (line, whole) => {
    expect(withWholeTime(Buffer.from(line)).toString()).toBe(whole);
  });
});
