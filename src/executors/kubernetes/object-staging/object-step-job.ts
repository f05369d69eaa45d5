import type { V1Container, V1EnvVar, V1Job, V1PodSpec, V1Volume } from '@kubernetes/client-node';
import type { StepRequest } from '../../executor.js';
import { mapImage } from '../../images/image-reference.js';
import { CONTAINER_PATHS, type ContainerStep } from '../../lmi-container.js';
import type { KubernetesOptions, ObjectStorage } from '../kubernetes-options.js';
import {
  CONTAINER_SECURITY,
  jobOf,
  stepContainer,
  VOLUME,
  variables,
  volumeMount,
} from '../step-job.js';
import { CONTAINER, FETCH_CONTAINER } from '../step-labels.js';
import { ORDER_VARIABLE, type OrderPlace, POD_PROGRAM, POD_ROOT } from './step-order.js';

/** What fetching and uploading take: eight pieces of 16 MiB on their way, and Node. */
const TRANSFER_BYTES = 512 * 1024 ** 2;
const TRANSFER_RESOURCES = { cpu: '500m', memory: String(TRANSFER_BYTES) };

/** The members of the Secret with a pod's credentials, and whether they may be missing. */
const CREDENTIALS = [
  ['AWS_ACCESS_KEY_ID', false],
  ['AWS_SECRET_ACCESS_KEY', false],
  ['AWS_SESSION_TOKEN', true],
] as const;

/**
 * The `batch/v1` Job of a step whose model is in S3. Its pod has a volume of its own. For an image, one
 * container fetches, the image's runs behind it, and one uploads behind that: init containers run one
 * after the other, and only those of ours are given credentials. The built-in optimizer runs in one
 * container with the program that fetches and uploads for it.
 *
 * Where a pod's node is lost, the cluster begins another one; every other end is the step's own.
 *
 * @param step how the image's program runs; its mounts are of folders below `POD_ROOT`
 */
export function objectStepJob(
  name: string,
  request: StepRequest,
  step: ContainerStep,
  place: OrderPlace,
  options: KubernetesOptions,
  storage: ObjectStorage,
): V1Job {
  const ours = (own: string, act: string): V1Container => ({
    name: own,
    image: mapImage(options.optimizerImage, options.imageMappings),
    command: [...POD_PROGRAM, act],
    env: transferEnvironment(place, storage),
    resources: { requests: TRANSFER_RESOURCES, limits: TRANSFER_RESOURCES },
    securityContext: CONTAINER_SECURITY,
    terminationMessagePath: CONTAINER_PATHS.errorFile,
    volumeMounts: [{ name: VOLUME, mountPath: POD_ROOT }],
  });
  const containers = (): Pick<V1PodSpec, 'initContainers' | 'containers'> => {
    if (request.image === undefined) {
      const resources = withTransfer(stepContainer(request, step, [], options).resources?.limits);
      const run = ours(CONTAINER, 'run');
      return { containers: [{ ...run, resources: { requests: resources, limits: resources } }] };
    }
    const mounts = step.mounts.map((mount) => volumeMount(mount, POD_ROOT));
    // A container's last word is bound over its error file, in a folder that is not the volume's.
    const folders = mounts.filter(({ mountPath }) => mountPath !== CONTAINER_PATHS.errors);
    const own = {
      ...stepContainer(request, step, folders, options),
      terminationMessagePath: CONTAINER_PATHS.errorFile,
    };
    return {
      initContainers: [ours(FETCH_CONTAINER, 'fetch'), own],
      containers: [ours('upload', 'upload')],
    };
  };
  const { spec, ...job } = jobOf(name, request, options, {
    ...containers(),
    ...(storage.serviceAccount === undefined ? {} : { serviceAccountName: storage.serviceAccount }),
    securityContext: { fsGroup: Number(options.user.split(':')[1]) },
    volumes: [{ name: VOLUME, ...scratchVolume(storage) }],
  });
  return { ...job, spec: { ...spec, podFailurePolicy: LOST_NODES } };
}

/** A pod that is lost with its node is no failure of the step; one whose program fails is not tried again. */
const LOST_NODES = {
  rules: [
    { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    { action: 'FailJob', onExitCodes: { operator: 'NotIn', values: [0] } },
  ],
};

function transferEnvironment(place: OrderPlace, { credentialsSecret }: ObjectStorage): V1EnvVar[] {
  const own = {
    [ORDER_VARIABLE]: JSON.stringify(place),
    // The root is read-only, and the AWS SDK looks for its files at home.
    HOME: POD_ROOT,
    TMPDIR: POD_ROOT,
  };
  if (credentialsSecret === undefined) return variables(own);
  const secret = CREDENTIALS.map(([key, optional]) => ({
    name: key,
    valueFrom: { secretKeyRef: { name: credentialsSecret, key, optional } },
  }));
  return [...variables(own), ...secret];
}

/** What the built-in optimizer takes, and the program that fetches and uploads for it. */
function withTransfer(resources: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { memory } = resources;
  return memory === undefined
    ? { ...resources }
    : { ...resources, memory: String(Number(memory) + TRANSFER_BYTES) };
}

function scratchVolume({ scratch }: ObjectStorage): Omit<V1Volume, 'name'> {
  if (scratch === undefined) return { emptyDir: {} };
  const { storageClass, bytes } = scratch;
  const spec = {
    accessModes: ['ReadWriteOnce'],
    ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
    resources: { requests: { storage: String(bytes) } },
  };
  return { ephemeral: { volumeClaimTemplate: { spec } } };
}
