import { hostOf } from '../../service-model/instance-hosts.js';
import type { StepRequest } from '../executor.js';
import type { DockerOptions } from './docker-options.js';
import type { EngineCapacity } from './engine.js';

/** Part of the machine's memory that a container may have: the rest is for the service and the engine. */
const MEMORY_SHARE = 0.9;

/**
 * How much more than the estimate the built-in optimizer may take, and what it may take in any case:
 * what was measured of it lies below the estimate, and beyond this something has gone wrong.
 */
const ESTIMATE_MARGIN = 1.5;
const LEAST_MEMORY_BYTES = 1024 ** 3;

/** What a container may take. */
export interface ContainerLimits {
  readonly memoryBytes: number;
  /** Undefined where the engine can't hold it to any. */
  readonly cpus: number | undefined;
}

/**
 * The limits of a step's container. The built-in optimizer gets what its job was estimated to take, an
 * image what its instance type has, as on SageMaker; neither more than is configured or there.
 */
export function containerLimits(
  { image, resources, deployment }: Pick<StepRequest, 'image' | 'resources' | 'deployment'>,
  options: Pick<DockerOptions, 'memoryBytes' | 'cpus'>,
  machine: EngineCapacity,
): ContainerLimits {
  const { memoryBytes: estimate, cores } = resources ?? {};
  const host = image === undefined ? undefined : hostOf(deployment.instanceType);
  const wanted =
    image === undefined
      ? { memoryBytes: estimate && withMargin(estimate), cpus: cores }
      : { memoryBytes: host?.memoryBytes, cpus: host?.vcpus };
  const { memoryBytes = Math.floor(machine.memoryBytes * MEMORY_SHARE), cpus = machine.cpus } =
    options;
  return {
    memoryBytes: Math.min(memoryBytes, wanted.memoryBytes ?? memoryBytes),
    cpus: machine.limitsCpus
      ? Math.min(cpus, wanted.cpus ?? machine.cpus, machine.cpus)
      : undefined,
  };
}

const withMargin = (estimate: number): number =>
  Math.max(LEAST_MEMORY_BYTES, Math.ceil(estimate * ESTIMATE_MARGIN));
