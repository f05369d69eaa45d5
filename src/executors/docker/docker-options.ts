import type { ImageMapping } from '../images/image-reference.js';
import type { CredentialSources } from '../images/registry-credentials.js';

/** How steps run in containers of a Docker engine. */
export interface DockerOptions {
  /** The engine's Unix socket. */
  readonly socket: string;
  /** The image that the built-in optimizer runs in. */
  readonly optimizerImage: string;
  readonly imageMappings: readonly ImageMapping[];
  readonly credentials: CredentialSources;
  /** `missing` pulls what the engine does not have, `always` asks the registry each time. */
  readonly pull: 'missing' | 'always' | 'never';
  /** `UID:GID` of the program in the container. */
  readonly user: string;
  /** Images, in the notation of mappings, that can't do with a read-only root. */
  readonly writableRoots: readonly string[];
  /** The most memory of any container; undefined for most of what the machine has. */
  readonly memoryBytes: number | undefined;
  /** The most processors of any container; undefined for all. */
  readonly cpus: number | undefined;
  /** Size of /dev/shm, which frameworks pass tensors through. */
  readonly sharedMemoryBytes: number;
  /** Whether a container sees the machine's GPUs: `auto` where the engine can hand them out. */
  readonly gpus: 'auto' | 'none';
  /** The network of a step without VpcConfig. */
  readonly network: string;
  /** Which network of the engine stands for a subnet, and which security groups it enforces. */
  readonly networks: readonly DockerNetwork[];
}

export interface DockerNetwork {
  readonly subnet: string;
  readonly network: string;
  readonly securityGroupIds: readonly string[];
}
