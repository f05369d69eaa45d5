import type { V1NetworkPolicy, V1OwnerReference } from '@kubernetes/client-node';
import { ExecutorError, type StepNetwork } from '../executor.js';
import type { KubernetesOptions } from './kubernetes-options.js';

type Networks = Pick<KubernetesOptions, 'enforcesNetworkPolicies' | 'networks' | 'storage'>;

/**
 * The addresses that a step's pod may speak to: those by which it gets its model, where it fetches it
 * itself, and those of its job's VpcConfig. A policy is for all of a pod, so also an image's program
 * reaches the former, though without credentials.
 *
 * @throws ExecutorError when the cluster does not enforce it, nothing is configured for a subnet, or a
 * security group is not enforced there
 */
export function addressesOf(
  asked: StepNetwork | undefined,
  { enforcesNetworkPolicies, networks, storage }: Networks,
): readonly string[] {
  const own = storage.kind === 's3' ? storage.cidrs : [];
  if (asked === undefined) return own;
  if (!enforcesNetworkPolicies) {
    throw new ExecutorError(
      'VpcConfig: this cluster is not known to enforce network policies; where it does, executor.kubernetes.enforcesNetworkPolicies says so.',
    );
  }
  const cidrs = asked.subnets.flatMap((subnet) => {
    const entry = networks.find((candidate) => candidate.subnet === subnet);
    if (entry === undefined) {
      throw new ExecutorError(
        `VpcConfig: nothing is configured for the subnet ${subnet}; executor.kubernetes.networks says which addresses it stands for.`,
      );
    }
    const missing = asked.securityGroupIds.find((id) => !entry.securityGroupIds.includes(id));
    if (missing !== undefined) {
      throw new ExecutorError(
        `VpcConfig: the subnet ${subnet} is not configured to enforce the security group ${missing}; executor.kubernetes.networks lists what each does.`,
      );
    }
    return entry.cidrs;
  });
  return [...new Set([...own, ...cidrs])];
}

/** The policy of a step's pod: nobody reaches it, and it reaches those addresses alone. */
export function networkPolicy(
  name: string,
  labels: Readonly<Record<string, string>>,
  cidrs: readonly string[],
  owner: V1OwnerReference,
): V1NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, labels: { ...labels }, ownerReferences: [owner] },
    spec: {
      podSelector: { matchLabels: { ...labels } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: cidrs.length === 0 ? [] : [{ to: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }],
    },
  };
}
