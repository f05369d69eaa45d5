import { isAbsolute, relative } from 'node:path';
import type { V1Job, V1VolumeMount } from '@kubernetes/client-node';
import { ExecutorError, type StepRequest } from '../executor.js';
import { mapImage } from '../images/image-reference.js';
import type { ContainerMount, ContainerStep } from '../lmi-container.js';
import type { InstancePlacement, KubernetesOptions } from './kubernetes-options.js';
import { CONTAINER, IMAGE_ANNOTATION, stepLabels } from './step-labels.js';

/**
 * How much later than the service the cluster ends a step. Its deadline counts the time that the pod
 * waits for a place too, as ours does, so it is a mere backstop for a service that is gone.
 */
const BACKSTOP_SECONDS = 600;
/** A job that nobody took note of is cleared away after a week; the service removes those that it knows. */
const KEPT_SECONDS = 7 * 24 * 3600;
const VOLUME = 'data';

/**
 * The `batch/v1` Job of a step: one pod, tried once, that sees nothing of the volume but its own folders,
 * and has no token, no capabilities, and no way to new ones.
 *
 * Source: the reference of the Kubernetes API, version 1.34, `Job v1 batch`.
 *
 * @throws ExecutorError when a folder of the step is not on the volume
 */
export function stepJob(
  name: string,
  request: StepRequest,
  step: ContainerStep,
  options: KubernetesOptions,
): V1Job {
  const labels = stepLabels(request, options.volume);
  const placement = placementOf(request.deployment.instanceType, options.instances);
  const [uid = 0, gid = uid] = options.user.split(':').map(Number);
  const secondsLeft = Math.max(1, Math.ceil((request.deadline - Date.now()) / 1000));
  const grace = Math.max(1, Math.ceil(request.graceMs / 1000));
  const image = request.image ?? options.optimizerImage;
  const resources = resourcesOf(request, placement, options);
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
          securityContext: {
            runAsUser: uid,
            runAsGroup: gid,
            runAsNonRoot: uid !== 0,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          volumes: [{ name: VOLUME, persistentVolumeClaim: { claimName: options.volume.claim } }],
          containers: [
            {
              name: CONTAINER,
              image: mapImage(image, options.imageMappings),
              ...(step.command === undefined ? {} : { command: [...step.command] }),
              env: Object.entries(step.environment).map(([variable, value]) => ({
                name: variable,
                // The cluster would take $(NAME) for a reference to another variable.
                value: value.replaceAll('$(', () => '$$('),
              })),
              resources: { requests: resources, limits: resources },
              securityContext: {
                privileged: false,
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: step.mounts.map((mount) => volumeMount(mount, options.volume.root)),
            },
          ],
        },
      },
    },
  };
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

function volumeMount({ source, target, readOnly }: ContainerMount, root: string): V1VolumeMount {
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
