import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Job, V1NetworkPolicy } from '@kubernetes/client-node';
import { ObjectStoreError } from '../../objects/errors.js';
import { endedStep } from '../ended-step.js';
import { type Executor, ExecutorError, type StepPlace, type StepRequest } from '../executor.js';
import { mapImage, parseImageReference } from '../images/image-reference.js';
import { prepareContainerStep } from '../lmi-container.js';
import { readExitFile } from '../read-exit-file.js';
import { apiMessage, type Cluster, connectCluster, statusOf, unlessGone } from './cluster.js';
import type { KubernetesOptions } from './kubernetes-options.js';
import { objectStepJob } from './object-staging/object-step-job.js';
import { POD_INPUT, podFolders } from './object-staging/step-order.js';
import { StepStaging } from './object-staging/step-staging.js';
import { followJob, type PodHandle, removeJob } from './running-pod.js';
import { stepJob } from './step-job.js';
import { selectorOf, stepLabels } from './step-labels.js';
import { addressesOf, networkPolicy } from './step-network.js';

/** How often a removed step is looked for until it is gone, in milliseconds. */
const REMOVAL_POLL_MS = 200;

/**
 * Runs steps as Jobs of a Kubernetes cluster, under the LMI contract. Either the data folder is on a volume
 * that the steps' pods see parts of, or the pods themselves read models from S3 and leave results there. A
 * Job is found again, from any node of the service, by its name and labels.
 */
export function createKubernetesExecutor(options: KubernetesOptions): Executor {
  let connected: Cluster | undefined;
  const cluster = () => {
    connected ??= connectCluster(options);
    return connected;
  };
  const { storage } = options;
  const { staging, bodyOf } = wayOf(options);
  const following = {
    hopelessMs: options.hopelessMs,
    collect: staging && ((place: StepPlace) => staging.collect(place)),
  };
  return {
    ...(staging === undefined ? {} : { objects: staging, runsElsewhere: () => true }),

    async refusal({ image: asked, network }) {
      const image = asked ?? options.optimizerImage;
      try {
        if (asked !== undefined) refuseSharedIdentity(asked, options);
        parseImageReference(mapImage(image, options.imageMappings));
        addressesOf(network, options);
        const { jobs, namespace } = cluster();
        await jobs.listNamespacedJob({ namespace, limit: 1 });
        return undefined;
      } catch (error) {
        if (error instanceof ExecutorError) return error.message;
        return `The Kubernetes cluster does not answer (${apiMessage(error)}).`;
      }
    },

    async start(request, signal) {
      const cidrs = addressesOf(request.network, options);
      await removeStep(cluster(), request, options);
      await staging?.discard(request);
      const name = `burnish-${randomUUID()}`;
      const { jobs, namespace } = cluster();
      try {
        signal.throwIfAborted();
        const body = await bodyOf(name, request);
        const { metadata } = await jobs.createNamespacedJob({ namespace, body });
        if (options.enforcesNetworkPolicies) {
          const uid = metadata?.uid ?? '';
          const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid };
          const policy = networkPolicy(name, stepLabels(request, storage), cidrs, owner);
          await releaseJob(cluster(), name, policy);
        }
        return followJob(cluster(), name, request, following);
      } catch (error) {
        await removeJob(cluster(), name).catch(() => undefined);
        signal.throwIfAborted();
        if (error instanceof ExecutorError || error instanceof ObjectStoreError) throw error;
        throw new ExecutorError(`The step’s Job could not be created: ${apiMessage(error)}`);
      }
    },

    async adopt(handle, place) {
      const { job } = handle as PodHandle;
      const { jobs, namespace } = cluster();
      try {
        await jobs.readNamespacedJob({ namespace, name: job });
        return followJob(cluster(), job, place, following);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
      }
      const code = await readExitFile(place.folders.exitFile);
      return code === undefined ? undefined : endedStep(handle, code);
    },

    async reap(place) {
      await removeStep(cluster(), place, options);
    },
  };
}

/** Closes the network of a suspended Job, and then lets its pod come to be. */
async function releaseJob(
  { jobs, policies, namespace }: Cluster,
  name: string,
  policy: V1NetworkPolicy,
): Promise<void> {
  await policies.createNamespacedNetworkPolicy({ namespace, body: policy });
  const body = [{ op: 'replace', path: '/spec/suspend', value: false }];
  await jobs.patchNamespacedJob({ namespace, name, body });
}

/** How steps get their models. */
interface StepWay {
  /** Where pods read models from S3. */
  readonly staging: StepStaging | undefined;
  bodyOf(name: string, request: StepRequest): Promise<V1Job>;
}

function wayOf(options: KubernetesOptions): StepWay {
  const { storage } = options;
  if (storage.kind === 'volume') {
    return {
      staging: undefined,
      bodyOf: async (name, request) =>
        stepJob(name, request, await prepareContainerStep(request), options, storage),
    };
  }
  const staging = new StepStaging(storage);
  return {
    staging,
    async bodyOf(name, request) {
      const place = await staging.hand(request);
      const inPod = { ...request, folders: podFolders(request.step), inputFolder: POD_INPUT };
      // The built-in optimizer's is set up by the program that fetches for it.
      const step =
        request.image === undefined
          ? { environment: {}, mounts: [], command: undefined }
          : await prepareContainerStep(inPod);
      return objectStepJob(name, request, step, place, options, storage);
    },
  };
}

/**
 * What a service account stands for, all containers of its pods are: also that of an image, of which nothing
 * is known.
 */
function refuseSharedIdentity(image: string, { storage }: KubernetesOptions): void {
  if (storage.kind === 'volume' || storage.credentialsSecret !== undefined) return;
  throw new ExecutorError(
    `Image ${image}: pods reach the object store by their service account, which an image’s container would have too. With executor.kubernetes.s3.credentialsSecret only the service’s own containers can.`,
  );
}

/** Ends, at once, whatever there is of a step, and waits until it is gone. */
async function removeStep(
  cluster: Cluster,
  place: StepPlace,
  { storage }: KubernetesOptions,
): Promise<void> {
  const { jobs, pods, namespace } = cluster;
  const labelSelector = selectorOf(stepLabels(place, storage));
  for (;;) {
    const running = await pods.listNamespacedPod({ namespace, labelSelector });
    const known = await jobs.listNamespacedJob({ namespace, labelSelector });
    if (running.items.length + known.items.length === 0) return;
    for (const { metadata } of known.items) await removeJob(cluster, metadata?.name ?? '');
    for (const { metadata } of running.items) {
      const name = metadata?.name ?? '';
      await unlessGone(pods.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 1 }));
    }
    await delay(REMOVAL_POLL_MS);
  }
}
