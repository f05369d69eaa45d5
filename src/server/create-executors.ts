import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDockerExecutor } from '../executors/docker/docker-executor.js';
import type { DockerOptions } from '../executors/docker/docker-options.js';
import type { Executor } from '../executors/executor.js';
import { createExecutorByStep } from '../executors/executor-by-step.js';
import { createKubernetesExecutor } from '../executors/kubernetes/kubernetes-executor.js';
import { createLocalProcessExecutor } from '../executors/local-process/local-process-executor.js';
import { createSlurmExecutor } from '../executors/slurm/slurm-executor.js';
import type { SlurmOptions } from '../executors/slurm/slurm-options.js';
import type { ServiceConfiguration } from './configuration.js';
import { kubernetesOptionsOf } from './kubernetes-options-of.js';
import { stepIsolation } from './step-isolation.js';

const OPTIMIZER_PROGRAM = fileURLToPath(new URL('../optimizer/main.js', import.meta.url));

/** Enough for the tensors that loaders hand to a framework's other processes. */
const DEFAULT_SHARED_MEMORY_BYTES = 1024 ** 3;

const DEFAULT_POLL_SECONDS = 2;

type ExecutorConfiguration = NonNullable<ServiceConfiguration['file']['executor']>;

/** All executors that a service has, and by which of them it runs a step. */
export function createExecutors(service: ServiceConfiguration): Executor {
  const configuration = service.file.executor ?? {};
  const { optimizer = 'process', images = 'docker' } = configuration;
  const executors = {
    process: createLocalProcessExecutor(OPTIMIZER_PROGRAM, stepIsolation(service)),
    docker: createDockerExecutor(dockerOptions(configuration)),
    // A machine need not have Slurm's commands.
    ...(usesSlurm(configuration)
      ? { slurm: createSlurmExecutor(slurmOptions(configuration)) }
      : {}),
    ...kubernetesExecutor(configuration, service.s3Endpoint),
  };
  // A process of the machine refuses images, and says what is missing.
  const forImages = images === 'none' ? 'process' : images;
  return createExecutorByStep(executors, ({ image }) =>
    image === undefined ? optimizer : forImages,
  );
}

function usesSlurm({ optimizer, images, slurm }: ExecutorConfiguration): boolean {
  return slurm !== undefined || optimizer === 'slurm' || images === 'slurm';
}

function slurmOptions({ slurm = {}, imageMappings = [] }: ExecutorConfiguration): SlurmOptions {
  return {
    configurationFile: slurm.configurationFile,
    node: slurm.node ?? process.execPath,
    optimizerProgram: slurm.optimizerProgram ?? OPTIMIZER_PROGRAM,
    containerRuntime: slurm.containerRuntime,
    containerProgram: slurm.containerProgram,
    containerArguments: slurm.containerArguments ?? [],
    imageMappings,
    placements: slurm.placements ?? [],
    defaultCores: slurm.defaultCores ?? 1,
    defaultMemoryBytes: slurm.defaultMemoryBytes,
    requeue: slurm.requeue ?? true,
    pollMs: (slurm.pollSeconds ?? DEFAULT_POLL_SECONDS) * 1000,
  };
}

function kubernetesExecutor(
  { kubernetes, optimizer, images, imageMappings = [] }: ExecutorConfiguration,
  s3Endpoint: ServiceConfiguration['s3Endpoint'],
): Readonly<Record<string, Executor>> {
  if (kubernetes !== undefined) {
    const both = optimizer === 'kubernetes' && (images === 'kubernetes' || images === 'none');
    if (kubernetes.s3 !== undefined && !both) {
      throw new Error(
        'With executor.kubernetes.s3 every step runs in Kubernetes, since a step elsewhere would look for its model on this machine: executor.optimizer has to be kubernetes, and executor.images kubernetes or none.',
      );
    }
    const options = kubernetesOptionsOf(kubernetes, imageMappings, s3Endpoint);
    return { kubernetes: createKubernetesExecutor(options) };
  }
  if (optimizer === 'kubernetes' || images === 'kubernetes') {
    throw new Error(
      'The configuration runs steps in Kubernetes, and does not say which: executor.kubernetes is missing.',
    );
  }
  return {};
}

function dockerOptions({ docker = {}, imageMappings = [] }: ExecutorConfiguration): DockerOptions {
  const ownUser = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  return {
    socket: docker.socket ?? '/var/run/docker.sock',
    optimizerImage: docker.optimizerImage ?? 'burnish',
    imageMappings,
    credentials: {
      registries: docker.registries ?? [],
      dockerConfigFile: docker.dockerConfigFile ?? join(homedir(), '.docker', 'config.json'),
    },
    pull: docker.pull ?? 'missing',
    user: docker.user ?? ownUser,
    writableRoots: docker.writableRoots ?? [],
    memoryBytes: docker.memoryBytes,
    cpus: docker.cpus,
    sharedMemoryBytes: docker.sharedMemoryBytes ?? DEFAULT_SHARED_MEMORY_BYTES,
    gpus: docker.gpus ?? 'auto',
    network: docker.network ?? 'none',
    networks: (docker.networks ?? []).map(({ subnet, network, securityGroupIds = [] }) => ({
      subnet,
      network,
      securityGroupIds,
    })),
  };
}
