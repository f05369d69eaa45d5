import { isAbsolute, relative } from 'node:path';
import type {
  V1Container,
  V1Job,
  V1JobSpec,
  V1PodSpec,
  V1VolumeMount,
} from '@kubernetes/client-node';
import { ExecutorError, type StepRequest } from '../executor.js';
import { mapImage } from '../images/image-reference.js';
import type { ContainerMount, ContainerStep } from '../lmi-container.js';
import type { InstancePlacement, KubernetesOptions, StepVolume } from './kubernetes-options.js';
import { CONTAINER, IMAGE_ANNOTATION, stepLabels } from './step-labels.js';

/**
 * How much later than the service the cluster ends a step. Its deadline counts the time that the pod
 * waits for a place too, as ours does, so it is a mere backstop for a service that is gone.
 */
const BACKSTOP_SECONDS = 600;
/** A job that nobody took note of is cleared away after a week; the service removes those that it knows. */
const KEPT_SECONDS = 7 * 24 * 3600;
/** The volume that a step's folders are on. */
export const VOLUME = 'data';

/**
 * The `batch/v1` Job of a step on a volume that the service has too: one pod, tried once, that sees
 * nothing of the volume but its own folders.
 *
 * @throws ExecutorError when a folder of the step is not on the volume
 */
export function stepJob(
  name: string,
  request: StepRequest,
  step: ContainerStep,
  options: KubernetesOptions,
  { claim, root }: StepVolume,
): V1Job {
  const mounts = step.mounts.map((mount) => volumeMount(mount, root));
  return jobOf(name, request, options, {
    volumes: [{ name: VOLUME, persistentVolumeClaim: { claimName: claim } }],
    containers: [stepContainer(request, step, mounts, options)],
  });
}

/**
 * A Job of a pod that has no token, no capabilities, and no way to new ones.
 *
 * Source: the reference of the Kubernetes API, version 1.34, `Job v1 batch`.
 *
 * @param pod what is in it
 */
export function jobOf(
  name: string,
  request: StepRequest,
  options: KubernetesOptions,
  pod: V1PodSpec,
): V1Job & { readonly spec: V1JobSpec } {
  const labels = stepLabels(request, options.storage);
  const placement = placementOf(request.deployment.instanceType, options.instances);
  const [uid = 0, gid = uid] = options.user.split(':').map(Number);
  const secondsLeft = Math.max(1, Math.ceil((request.deadline - Date.now()) / 1000));
  const grace = Math.max(1, Math.ceil(request.graceMs / 1000));
  const image = request.image ?? options.optimizerImage;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels: { ...labels } },
    spec: {
      // Until its network is closed.
      suspend: options.enforcesNetworkPolicies,
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: secondsLeft + grace + BACKSTOP_SECONDS,
      ttlSecondsAfterFinished: KEPT_SECONDS,
      template: {
        metadata: { labels: { ...labels }, annotations: { [IMAGE_ANNOTATION]: image } },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: grace,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          nodeSelector: { ...placement?.nodeSelector },
          tolerations: (placement?.tolerations ?? []).map((key) => ({ key, operator: 'Exists' })),
          imagePullSecrets: options.imagePullSecrets.map((secret) => ({ name: secret })),
          ...pod,
          securityContext: {
            runAsUser: uid,
            runAsGroup: gid,
            runAsNonRoot: uid !== 0,
            seccompProfile: { type: 'RuntimeDefault' },
            ...pod.securityContext,
          },
        },
      },
    },
  };
}

/** The container of a step's own program, or of what runs it. */
export function stepContainer(
  request: StepRequest,
  { command, environment }: Pick<ContainerStep, 'command' | 'environment'>,
  volumeMounts: V1VolumeMount[],
  options: KubernetesOptions,
): V1Container {
  const placement = placementOf(request.deployment.instanceType, options.instances);
  const resources = resourcesOf(request, placement, options);
  return {
    name: CONTAINER,
    image: mapImage(request.image ?? options.optimizerImage, options.imageMappings),
    ...(command === undefined ? {} : { command: [...command] }),
    env: variables(environment),
    resources: { requests: resources, limits: resources },
    securityContext: CONTAINER_SECURITY,
    volumeMounts,
  };
}

/** What a container may not do. */
export const CONTAINER_SECURITY = {
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** The variables of a container's environment, as they are. */
export function variables(environment: Readonly<Record<string, string>>) {
  return Object.entries(environment).map(([name, value]) => ({
    name,
    // The cluster would take $(NAME) for a reference to another variable.
    value: value.replaceAll('$(', () => '$$('),
  }));
}

/** Where steps for an instance type run: the first entry that matches it. */
export function placementOf(
  instanceType: string,
  instances: readonly InstancePlacement[],
): InstancePlacement | undefined {
  return instances.find(({ instanceType: pattern }) => {
    const parts = pattern.split('*').map((part) => part.replace(/[^\w-]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(instanceType);
  });
}

/** A folder of the volume as a container sees it. @throws ExecutorError when it is not on the volume */
export function volumeMount(
  { source, target, readOnly }: ContainerMount,
  root: string,
): V1VolumeMount {
  const subPath = relative(root, source);
  if (subPath === '' || subPath.startsWith('..') || isAbsolute(subPath)) {
    throw new ExecutorError(
      `${source} is not on the volume that steps see (executor.kubernetes.volume.root is ${root}); keep the data folder there.`,
    );
  }
  return { name: VOLUME, mountPath: target, subPath, readOnly };
}

function resourcesOf(
  { resources }: StepRequest,
  placement: InstancePlacement | undefined,
  { cpus, memoryBytes }: KubernetesOptions,
): Record<string, string> {
  const accelerators = resources?.gpus ?? 0;
  const accelerator = placement?.acceleratorResource;
  const cores = resources?.cores ?? cpus;
  // What was estimated as nothing was not estimated.
  const memory = resources?.memoryBytes || memoryBytes;
  return {
    ...(cores === undefined ? {} : { cpu: `${Math.ceil(cores * 1000)}m` }),
    ...(memory === undefined ? {} : { memory: String(Math.ceil(memory)) }),
    ...(accelerator === undefined || accelerators === 0
      ? {}
      : { [accelerator]: String(accelerators) }),
  };
}
