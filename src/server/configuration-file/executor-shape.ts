import { enumeration, optional, structure } from '../../service-model/shape.js';
import { DOCKER_SHAPE, IMAGE_MAPPINGS_SHAPE } from './docker-shape.js';
import { KUBERNETES_SHAPE } from './kubernetes-shape.js';
import { SLURM_SHAPE } from './slurm-shape.js';

/** Where steps run. */
export const EXECUTOR_SHAPE = structure('Executor', {
  optimizer: optional(
    enumeration(['process', 'docker', 'slurm', 'kubernetes']),
    'Where the built-in optimizer runs: as a process of the service’s machine (the default), in a container, as a batch job, or as a Job of a cluster.',
  ),
  images: optional(
    enumeration(['docker', 'slurm', 'kubernetes', 'none']),
    'Where steps with an Image run; in containers of the machine’s Docker engine by default.',
  ),
  imageMappings: optional(
    IMAGE_MAPPINGS_SHAPE,
    'Images that are taken from another registry than they name, ECR’s for example.',
  ),
  docker: optional(DOCKER_SHAPE, 'The Docker engine.'),
  slurm: optional(SLURM_SHAPE, 'The Slurm cluster.'),
  kubernetes: optional(KUBERNETES_SHAPE, 'The Kubernetes cluster.'),
});
