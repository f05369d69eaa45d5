import type { KubernetesOptions } from '../executors/kubernetes/kubernetes-options.js';
import { type ObjectLocation, parseS3Uri } from '../objects/s3-uri.js';
import type { ServiceConfiguration } from './configuration.js';

/** Long enough for a registry that is away for a moment. */
const DEFAULT_UNSTARTABLE_SECONDS = 300;

type ExecutorConfiguration = NonNullable<ServiceConfiguration['file']['executor']>;

type KubernetesConfiguration = NonNullable<ExecutorConfiguration['kubernetes']>;

/** What the configuration says of the Kubernetes cluster, and the defaults for the rest. @throws an error that says what is missing */
export function kubernetesOptionsOf(
  given: KubernetesConfiguration,
  imageMappings: NonNullable<ExecutorConfiguration['imageMappings']>,
  s3Endpoint: ServiceConfiguration['s3Endpoint'],
): KubernetesOptions {
  return {
    kubeconfig: given.kubeconfig,
    context: given.context,
    namespace: given.namespace ?? 'burnish',
    storage: storageOf(given, s3Endpoint),
    optimizerImage: given.optimizerImage ?? 'burnish',
    imageMappings,
    imagePullSecrets: given.imagePullSecrets ?? [],
    user: given.user ?? `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    instances: (given.instances ?? []).map((instance) => ({
      instanceType: instance.instanceType,
      nodeSelector: instance.nodeSelector ?? {},
      tolerations: instance.tolerations ?? [],
      acceleratorResource: instance.acceleratorResource,
    })),
    enforcesNetworkPolicies: given.enforcesNetworkPolicies ?? false,
    networks: (given.networks ?? []).map(({ subnet, cidrs, securityGroupIds = [] }) => ({
      subnet,
      cidrs,
      securityGroupIds,
    })),
    cpus: given.cpus,
    memoryBytes: given.memoryBytes,
    hopelessMs: (given.unstartableSeconds ?? DEFAULT_UNSTARTABLE_SECONDS) * 1000,
  };
}

function storageOf(
  { volume, s3, enforcesNetworkPolicies = false }: KubernetesConfiguration,
  endpoint: ServiceConfiguration['s3Endpoint'],
): KubernetesOptions['storage'] {
  if ((volume === undefined) === (s3 === undefined)) {
    throw new Error(
      'executor.kubernetes takes either volume, which holds the data folder, or s3, for pods that read and write models there themselves.',
    );
  }
  if (volume !== undefined) return { kind: 'volume', ...volume };
  if (endpoint === undefined) {
    throw new Error(
      'executor.kubernetes.s3 is for models in an S3 store of their own: start the service with --s3-endpoint, or name a volume.',
    );
  }
  const cidrs = s3?.cidrs ?? [];
  if (enforcesNetworkPolicies && cidrs.length === 0) {
    throw new Error(
      'executor.kubernetes.s3.cidrs is missing: where the cluster enforces network policies, pods reach the S3 endpoint and DNS only by addresses that are named.',
    );
  }
  return {
    kind: 's3',
    ...endpoint,
    podEndpoint: s3?.endpoint ?? endpoint.endpoint,
    staging: stagingOf(s3?.staging ?? ''),
    credentialsSecret: s3?.credentialsSecret,
    serviceAccount: s3?.serviceAccount,
    cidrs,
    scratch: s3?.scratch && { storageClass: s3.scratch.storageClass, bytes: s3.scratch.bytes },
  };
}

function stagingOf(uri: string): ObjectLocation {
  try {
    return parseS3Uri(uri);
  } catch (error) {
    throw new Error(`executor.kubernetes.s3.staging: ${(error as Error).message}`);
  }
}
