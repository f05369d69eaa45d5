import type { ObjectLocation } from '../../objects/s3-uri.js';
import type { ImageMapping } from '../images/image-reference.js';

/** How a Kubernetes executor reaches its cluster, and what it asks of it. */
export interface KubernetesOptions {
  /** A kubeconfig file; undefined for the pod's own service account, or what `kubectl` would take. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string;
  readonly storage: StepVolume | ObjectStorage;
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

/** The volume that holds the service's data folder, which steps see parts of. */
export interface StepVolume {
  readonly kind: 'volume';
  /** The name of a PersistentVolumeClaim that many nodes may write to. */
  readonly claim: string;
  /** Where the service itself has the volume mounted. */
  readonly root: string;
}

/** An S3 endpoint that pods read models from and leave results at, without a volume in common. */
export interface ObjectStorage {
  readonly kind: 's3';
  /** URLs of the endpoint, as the service reaches it and as pods do. */
  readonly endpoint: string;
  readonly podEndpoint: string;
  readonly region: string;
  readonly pathStyle: boolean;
  /** Where results are until they are published; this service's alone. */
  readonly staging: ObjectLocation;
  /**
   * The Secret with the access key of pods, in the members `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`
   * and `AWS_SESSION_TOKEN`, of which the last may be missing; undefined for what their service account
   * stands for.
   */
  readonly credentialsSecret: string | undefined;
  /** Whom pods are, where that is what they reach the endpoint by. */
  readonly serviceAccount: string | undefined;
  /** What pods have to reach beside VpcConfig's addresses, as CIDR blocks: the endpoint, and DNS. */
  readonly cidrs: readonly string[];
  /** A volume for each pod, made with it and gone with it; undefined for the node's own disk. */
  readonly scratch: ScratchVolume | undefined;
}

export interface ScratchVolume {
  /** Undefined for the cluster's default class. */
  readonly storageClass: string | undefined;
  readonly bytes: number;
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
