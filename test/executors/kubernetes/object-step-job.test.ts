import { describe, expect, it } from 'vitest';
import type { StepRequest } from '#burnish/executors/executor.js';
import type {
  KubernetesOptions,
  ObjectStorage,
} from '#burnish/executors/kubernetes/kubernetes-options.js';
import { objectStepJob } from '#burnish/executors/kubernetes/object-staging/object-step-job.js';
import { POD_INPUT, podFolders } from '#burnish/executors/kubernetes/object-staging/step-order.js';
import { progressIn } from '#burnish/executors/kubernetes/pod-log.js';
import { addressesOf } from '#burnish/executors/kubernetes/step-network.js';
import { disruptionOf, podState } from '#burnish/executors/kubernetes/step-state.js';
import { prepareContainerStep } from '#burnish/executors/lmi-container.js';
import { validateManifest } from '../../support/kubernetes/validate-manifest.js';

const STORAGE: ObjectStorage = {
  kind: 's3',
  endpoint: 'https://s3.example',
  podEndpoint: 'https://s3.inside.example',
  region: 'eu-central-1',
  pathStyle: true,
  staging: { bucket: 'models', key: 'staging' },
  credentialsSecret: 'pods',
  serviceAccount: undefined,
  cidrs: ['10.2.0.1/32'],
  scratch: undefined,
};

const OPTIONS: KubernetesOptions = {
  kubeconfig: undefined,
  context: undefined,
  namespace: 'burnish',
  storage: STORAGE,
  optimizerImage: 'burnish:1',
  imageMappings: [],
  imagePullSecrets: [],
  user: '1000:1001',
  instances: [],
  enforcesNetworkPolicies: true,
  networks: [{ subnet: 'subnet-1', securityGroupIds: [], cidrs: ['10.1.0.0/16'] }],
  cpus: 2,
  memoryBytes: 1e9,
  hopelessMs: 300_000,
};

const REQUEST: StepRequest = {
  job: 'job-1',
  step: 0,
  technique: 'quantization',
  image: 'lmi:1',
  environment: { OPTION_A: 'a' },
  deployment: { instanceType: 'ml.g5.xlarge', accelerator: 'A10G', count: 1, memoryGb: 24 },
  datasets: {},
  inputFolder: POD_INPUT,
  folders: podFolders(0),
  logFile: '/logs/job-1/1-quantization.log',
  deadline: Date.now() + 1000_000,
  graceMs: 120_000,
};

const PLACE = {
  ...{ bucket: 'models', key: 'staging/job-1/step-1' },
  ...{ endpoint: 'https://s3.inside.example', region: 'eu-central-1', pathStyle: true },
};

async function jobOf(image: string | undefined, storage: ObjectStorage = STORAGE) {
  const request = { ...REQUEST, image };
  const none = { environment: {}, mounts: [], command: undefined };
  const step = image === undefined ? none : await prepareContainerStep(request);
  return objectStepJob('burnish-1', request, step, PLACE, OPTIONS, storage);
}

describe('the Job of a step whose model is in S3', () => {
  it.each([['lmi:1'], [undefined]])('is what the API takes, for the image %s', async (image) => {
    const scratch = { storageClass: 'fast', bytes: 2e11 };
    expect(validateManifest(await jobOf(image))).toEqual([]);
    const other = { ...STORAGE, credentialsSecret: undefined, serviceAccount: 'pods', scratch };
    expect(validateManifest(await jobOf(image, other))).toEqual([]);
  });

  it('fetches before an image and uploads behind it, and only that has credentials', async () => {
    const pod = (await jobOf('lmi:1')).spec?.template.spec;
    const [fetch, step] = pod?.initContainers ?? [];
    const [upload, ...others] = pod?.containers ?? [];
    expect([fetch?.name, step?.name, upload?.name, others.length]).toEqual([
      'fetch',
      'step',
      'upload',
      0,
    ]);
    expect([fetch?.image, step?.image]).toEqual(['burnish:1', 'lmi:1']);
    for (const ours of [fetch, upload]) expect(JSON.stringify(ours?.env)).toContain('"pods"');
    expect(JSON.stringify(step)).not.toContain('AWS_');
    expect(JSON.stringify(step)).not.toContain('secretKeyRef');
    expect(step?.volumeMounts?.map(({ mountPath, subPath }) => [mountPath, subPath])).toEqual([
      ['/opt/ml/model/input', 'source'],
      ['/opt/ml/model/compiled', 'step-1/compiled'],
      ['/opt/ml/compilation/cache', 'step-1/cache'],
      ['/tmp', 'step-1/tmp'],
    ]);
    expect(step?.terminationMessagePath).toBe('/opt/ml/compilation/errors/errors.json');
  });

  it('gives the built-in optimizer one container, with what fetches and uploads for it', async () => {
    const pod = (await jobOf(undefined)).spec?.template.spec;
    expect(pod?.initContainers).toBeUndefined();
    const [step] = pod?.containers ?? [];
    expect(step?.command?.at(-1)).toBe('run');
    expect(step?.resources?.limits?.memory).toBe(String(1e9 + 512 * 1024 ** 2));
  });

  it('works on a volume of its own, on the node’s disk or of a class', async () => {
    const volumesOf = async (storage: ObjectStorage) =>
      (await jobOf(undefined, storage)).spec?.template.spec?.volumes;
    expect(await volumesOf(STORAGE)).toEqual([{ name: 'data', emptyDir: {} }]);
    const scratch = { storageClass: 'fast', bytes: 2e11 };
    const [volume] = (await volumesOf({ ...STORAGE, scratch })) ?? [];
    expect(volume?.ephemeral?.volumeClaimTemplate?.spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '200000000000' } },
    });
  });

  it('reaches S3 beside what its VpcConfig opens', () => {
    expect(addressesOf(undefined, OPTIONS)).toEqual(['10.2.0.1/32']);
    expect(addressesOf({ subnets: ['subnet-1'], securityGroupIds: [] }, OPTIONS)).toEqual([
      '10.2.0.1/32',
      '10.1.0.0/16',
    ]);
  });
});

describe('a pod of several containers', () => {
  const container = (name: string, state: object) => ({
    ...{ name, image: 'i', imageID: '', ready: false, restartCount: 0 },
    state,
  });
  const ended = (exitCode: number, message = '') => ({ terminated: { exitCode, message } });
  const waiting = { waiting: { reason: 'PodInitializing' } };
  const pod = (states: readonly object[], more: object = {}) => ({
    spec: { nodeName: 'node-7', containers: [] },
    status: {
      phase: 'Running',
      initContainerStatuses: [
        container('fetch', states[0] ?? waiting),
        container('step', states[1] ?? waiting),
      ],
      containerStatuses: [container('upload', states[2] ?? waiting)],
      ...more,
    },
  });

  it('has ended when the first fails, or the last ends', () => {
    expect(podState(pod([{ running: {} }]))).toMatchObject({ started: false, exit: undefined });
    expect(podState(pod([ended(0), { running: {} }]))).toMatchObject({ started: true });
    expect(podState(pod([ended(0), ended(0)]))).toMatchObject({ started: true, exit: undefined });
    expect(podState(pod([ended(0), ended(0), ended(0)])).exit).toEqual({ code: 0 });
    const failed = podState(pod([ended(0), ended(3, '{"error":"no room"}')]));
    expect(failed).toMatchObject({ exit: { code: 3 }, lastWord: '{"error":"no room"}' });
  });

  it('names the node that it was taken away on', () => {
    const reason = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' };
    const lost = pod([ended(0), ended(143)], { phase: 'Failed', conditions: [reason] });
    expect(disruptionOf(lost)).toContain('on the node node-7 (DeletionByTaintManager');
    expect(podState(lost).exit).toMatchObject({
      code: undefined,
      displaced: true,
      reason: expect.stringContaining('node-7'),
    });
    expect(disruptionOf(pod([]))).toBeUndefined();
  });

  it('tells its progress between the lines of its log', () => {
    const time = '2026-01-02T03:04:05Z';
    expect(progressIn(Buffer.from(`${time} \u001e{"phase":"a"}\n`))?.toString()).toBe(
      '{"phase":"a"}\n',
    );
    expect(progressIn(Buffer.from(`${time} a line\n`))).toBeUndefined();
  });
});
