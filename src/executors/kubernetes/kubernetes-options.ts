import type { ImageMapping } from '../images/image-reference.js';

/** How a Kubernetes executor reaches its cluster, and what it asks of it. */
export interface KubernetesOptions {
  /** A kubeconfig file; undefined for the pod's own service account, or what `kubectl` would take. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string;
  /** The volume that holds the service's data folder, which steps see parts of. */
  readonly volume: StepVolume;
  /** The image of steps that ask for none: the built-in optimizer. */
  readonly optimizerImage: string;
  readonly imageMappings: readonly ImageMapping[];
  readonly imagePullSecrets: readonly string[];
  /** As whom a step runs, `UID:GID`; the volume's files have to be theirs. */
  readonly user: string;
  readonly instances: readonly InstancePlacement[];
  /** Whether the cluster's network enforces NetworkPolicy objects; not all do, and none says so. */
  readonly enforcesNetworkPolicies: boolean;
  readonly networks: readonly SubnetAddresses[];
  /** What a step may take where nobody has estimated it. */
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
  /** How long a container may fail to be started before the step has failed, in milliseconds. */
  readonly hopelessMs: number;
}

export interface StepVolume {
  /** The name of a PersistentVolumeClaim that many nodes may write to. */
  readonly claim: string;
  /** Where the service itself has the volume mounted. */
  readonly root: string;
}

/** Where the steps of jobs for an instance type run. */
export interface InstancePlacement {
  /** An instance type, with `*` for any characters. */
  readonly instanceType: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Taints of those nodes that steps put up with, by key, whatever their value. */
  readonly tolerations: readonly string[];
  /** The resource by which the nodes hand out accelerators, such as `nvidia.com/gpu`; undefined for none. */
  readonly acceleratorResource: string | undefined;
}

/** What a subnet of VpcConfig stands for in the cluster. */
export interface SubnetAddresses {
  readonly subnet: string;
  readonly securityGroupIds: readonly string[];
  /** The addresses that a step may speak to, as CIDR blocks. */
  readonly cidrs: readonly string[];
}
