import {
  boolean,
  enumeration,
  integer,
  list,
  optional,
  required,
  structure,
} from '../../service-model/shape.js';
import { BYTES, TEXT } from './values.js';

const PLACEMENT_SHAPE = structure('SlurmPlacement', {
  instanceType: required(TEXT, 'A deployment instance type; * is any part of one.'),
  partition: optional(TEXT, 'The partition of its jobs.'),
  constraint: optional(TEXT, 'Features that a node must have.'),
  account: optional(TEXT, 'The account that pays.'),
  qos: optional(TEXT, 'The quality of service.'),
  gres: optional(TEXT, 'Generic resources, gpu:a100:1 for example.'),
});

/** How steps run as batch jobs of a Slurm cluster. */
export const SLURM_SHAPE = structure('Slurm', {
  configurationFile: optional(
    TEXT,
    'The cluster’s slurm.conf, where it is not at its usual place.',
  ),
  node: optional(TEXT, 'Node on the cluster’s nodes; the path of the service’s own by default.'),
  optimizerProgram: optional(
    TEXT,
    'dist/optimizer/main.js on the cluster’s nodes; the service’s own by default.',
  ),
  containerRuntime: optional(
    enumeration(['apptainer', 'enroot']),
    'What runs images on the nodes; without it steps with an Image are refused.',
  ),
  containerProgram: optional(TEXT, 'Where that program is on the nodes, if it is not in PATH.'),
  containerArguments: optional(
    list(TEXT, { maxLength: 100 }),
    'Further arguments of that program, before the image.',
  ),
  placements: optional(
    list(PLACEMENT_SHAPE, { maxLength: 100 }),
    'What jobs for a deployment instance type ask for; the first that fits holds.',
  ),
  defaultCores: optional(
    integer({ min: 1, max: 4096 }),
    'Cores where a step’s needs are not known; 1 by default.',
  ),
  defaultMemoryBytes: optional(
    BYTES,
    'Memory where a step’s needs are not known; the partition’s default otherwise.',
  ),
  requeue: optional(
    boolean,
    'Whether a step whose node died runs again on another; true by default.',
  ),
  pollSeconds: optional(
    integer({ min: 1, max: 300 }),
    'How often the controller is asked for a job; 2 by default.',
  ),
});
