import type { KubernetesOptions } from '../executors/kubernetes/kubernetes-options.js';
import type { ServiceConfiguration } from './configuration.js';

/** Long enough for a registry that is away for a moment. */
const DEFAULT_UNSTARTABLE_SECONDS = 300;

type ExecutorConfiguration = NonNullable<ServiceConfiguration['file']['executor']>;

/** What the configuration says of the Kubernetes cluster, and the defaults for the rest. */
export function kubernetesOptionsOf(
  given: NonNullable<ExecutorConfiguration['kubernetes']>,
  imageMappings: NonNullable<ExecutorConfiguration['imageMappings']>,
): KubernetesOptions {
  return {
    kubeconfig: given.kubeconfig,
    context: given.context,
    namespace: given.namespace ?? 'burnish',
    volume: given.volume,
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
