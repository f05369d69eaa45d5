import { createHash } from 'node:crypto';
import type { ContainerCreateOptions } from 'dockerode';
import type { StepRequest } from '../executor.js';
import { mapImage } from '../images/image-reference.js';
import { type ContainerStep, stepLabels } from '../lmi-container.js';
import { containerLimits } from './container-limits.js';
import type { DockerOptions } from './docker-options.js';
import type { EngineCapacity } from './engine.js';

/** More than any optimization program needs, and fewer than a fork bomb makes. */
const MAX_PROCESSES = 8_192;
/** The engine keeps this much of a container's output for the service to read after a restart. */
const LOG_LIMITS = { 'max-size': '256m', 'max-file': '4' } as const;

/** An image's own word that it can't do with a read-only root. */
const WRITABLE_ROOT_LABEL = 'burnish.writable-root';

/** What is known of the image, once the engine has it. */
export interface LocalImage {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The container of a step: no capabilities, no way to new ones, a read-only root where the image can
 * do with one, and nothing of the host but its folders.
 *
 * @param place what the engine's machine has, and the first network; others are joined before the start
 */
export function containerOptions(
  request: StepRequest,
  step: ContainerStep,
  image: LocalImage,
  options: DockerOptions,
  place: EngineCapacity & { readonly network: string },
): ContainerCreateOptions {
  const { network, hasGpus } = place;
  const { memoryBytes, cpus } = containerLimits(request, options, place);
  const [entrypoint, ...args] = step.command ?? [];
  return {
    name: containerName(request),
    Image: image.id,
    User: options.user,
    Env: Object.entries(step.environment).map(([name, value]) => `${name}=${value}`),
    ...(entrypoint === undefined ? {} : { Entrypoint: [entrypoint], Cmd: args }),
    Labels: stepLabels(request),
    AttachStdout: false,
    AttachStderr: false,
    // The engine's own patience, should the service not be there when it goes down.
    StopTimeout: Math.ceil(request.graceMs / 1000),
    HostConfig: {
      Mounts: step.mounts.map(({ source, target, readOnly }) => ({
        Type: 'bind',
        Source: source,
        Target: target,
        ReadOnly: readOnly,
      })),
      NetworkMode: network,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      ReadonlyRootfs: !needsWritableRoot(image, options),
      PidsLimit: MAX_PROCESSES,
      ShmSize: options.sharedMemoryBytes,
      Memory: memoryBytes,
      // The same, so that there is no swap.
      MemorySwap: memoryBytes,
      ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
      ...(hasGpus && options.gpus === 'auto' && request.resources?.gpus !== 0
        ? { DeviceRequests: [gpuRequest(request.resources?.gpus)] }
        : {}),
      LogConfig: { Type: 'json-file', Config: LOG_LIMITS },
      RestartPolicy: { Name: 'no' },
    },
  };
}

function needsWritableRoot(image: LocalImage, { writableRoots }: DockerOptions): boolean {
  if (image.labels[WRITABLE_ROOT_LABEL] === 'true') return true;
  return writableRoots.some((from) => mapImage(image.name, [{ from, to: '\0' }]).startsWith('\0'));
}

/** All GPUs of the machine where it is not known how many the step needs. */
const gpuRequest = (count = -1) => ({ Driver: '', Count: count, Capabilities: [['gpu']] });

/** Two services of one engine may have jobs of one name; their folders differ. */
function containerName({ job, step, folders }: StepRequest): string {
  const place = createHash('sha256').update(folders.root).digest('hex').slice(0, 8);
  return `burnish-${job}-${step + 1}-${place}`;
}
