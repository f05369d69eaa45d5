import type { ImageMapping } from '../images/image-reference.js';

/** How steps run as batch jobs of a Slurm cluster that shares a file system with the service. */
export interface SlurmOptions {
  /** The cluster's configuration file, where it is not at its usual place. */
  readonly configurationFile: string | undefined;
  /** Node, as the cluster's nodes find it. */
  readonly node: string;
  /** The built-in optimizer's entry point, as the cluster's nodes find it. */
  readonly optimizerProgram: string;
  /** What runs images on the nodes; undefined where nothing does. */
  readonly containerRuntime: ContainerRuntimeName | undefined;
  /** Where that is on the nodes; its name, to be found in PATH, if undefined. */
  readonly containerProgram: string | undefined;
  /** Further arguments of that program, before the image. */
  readonly containerArguments: readonly string[];
  readonly imageMappings: readonly ImageMapping[];
  /** Where jobs for a deployment instance type go; the first entry that fits holds. */
  readonly placements: readonly SlurmPlacement[];
  /** Asked for where a step's needs are not known. */
  readonly defaultCores: number;
  readonly defaultMemoryBytes: number | undefined;
  /** Whether a step whose node died runs again on another. */
  readonly requeue: boolean;
  /** How often the controller is asked for a job, in milliseconds. */
  readonly pollMs: number;
}

export type ContainerRuntimeName = 'apptainer' | 'enroot';

/** What jobs for some deployment instance types ask the cluster for. */
export interface SlurmPlacement {
  /** A deployment instance type; `*` is any part of one. */
  readonly instanceType: string;
  readonly partition?: string | undefined;
  readonly constraint?: string | undefined;
  readonly account?: string | undefined;
  readonly qos?: string | undefined;
  /** For example `gpu:a100:1`; otherwise as many GPUs as the step is expected to need. */
  readonly gres?: string | undefined;
}

/** The placement of an instance type. */
export function placementOf(
  instanceType: string,
  placements: readonly SlurmPlacement[],
): SlurmPlacement | undefined {
  return placements.find(({ instanceType: pattern }) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*?')}$`).test(instanceType);
  });
}
