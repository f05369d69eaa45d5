import { SHUTDOWN_MODES } from '../../jobs/shutdown-mode.js';
import {
  enumeration,
  type Infer,
  integer,
  list,
  optional,
  string,
  structure,
} from '../../service-model/shape.js';
import { CLOUDWATCH_SHAPE } from './cloudwatch-shape.js';
import { EXECUTOR_SHAPE } from './executor-shape.js';
import { LIMITS_SHAPE } from './limits-shape.js';
import { NETWORKS_SHAPE } from './networks-shape.js';
import { ROLES_SHAPE } from './roles-shape.js';
import { BYTES } from './values.js';

const LICENSE_SHAPE = structure('License', {
  termsFiles: optional(
    list(string({ minLength: 1, maxLength: 255 }), { maxLength: 100 }),
    'Names of files by which a model asks for its end-user license agreement to be accepted, with * for any characters; the default is *eula, *eula.txt, *eula.md, *eula.html and *eula.pdf.',
  ),
});

const SCHEDULING_SHAPE = structure('Scheduling', {
  cores: optional(
    integer({ min: 1, max: 4096 }),
    'Cores that all running jobs together may take; by default all that the process may run on.',
  ),
  memoryBytes: optional(
    BYTES,
    'Memory that all running jobs together may take; by default the machine’s, or its control group’s, less what the service takes.',
  ),
  largestNodeBytes: optional(
    BYTES,
    'Where several nodes share a database: the same of the largest of them. Jobs that fit that one alone wait for it; by default all nodes are taken to be alike.',
  ),
});

const LOGS_SHAPE = structure('Logs', {
  maxStepBytes: optional(
    integer({ min: 64 * 1024, max: 2 ** 40 }),
    'Bytes that are kept of the log of one step, its beginning and its end; 64 MiB by default.',
  ),
  maxTotalBytes: optional(
    integer({ min: 64 * 1024, max: 2 ** 50 }),
    'Bytes that the logs of all jobs may take; beyond them those that ended longest ago go. 10 GiB by default.',
  ),
  maxDays: optional(
    integer({ min: 1, max: 36_500 }),
    'Days after which the logs of an ended job go; 90 by default.',
  ),
});

const SHUTDOWN_SHAPE = structure('Shutdown', {
  runningJobs: optional(
    enumeration(SHUTDOWN_MODES),
    'What becomes of running jobs when the service is told to end: leave (the default), finish or stop.',
  ),
});

const NODES_SHAPE = structure('Nodes', {
  leaseSeconds: optional(
    integer({ min: 3, max: 3600 }),
    'How long a node may be silent before the others take its jobs over; 15 by default.',
  ),
});

const CHECKPOINTS_SHAPE = structure('Checkpoints', {
  maxDays: optional(
    integer({ min: 1, max: 36_500 }),
    'Days for which the finished layers of a job that was stopped or failed are kept, for OPTION_RESUME_FROM; 14 by default.',
  ),
  maxTotalBytes: optional(
    integer({ min: 0, max: 2 ** 50 }),
    'Bytes that the finished layers of all such jobs may take; beyond them the oldest go. 200 GB by default.',
  ),
});

/**
 * What the file that `burnish serve --config FILE` names may hold. It says what is too much for a
 * command line: one member for each part of the service, each a structure of its own.
 */
export const CONFIGURATION_SHAPE = structure('Configuration', {
  executor: optional(EXECUTOR_SHAPE, 'Where steps run.'),
  scheduling: optional(SCHEDULING_SHAPE, 'What running jobs may take of the machine.'),
  cloudWatch: optional(CLOUDWATCH_SHAPE, 'Puts logs and metrics to Amazon CloudWatch.'),
  logs: optional(LOGS_SHAPE, 'How much of the logs of jobs is kept.'),
  checkpoints: optional(CHECKPOINTS_SHAPE, 'How long finished layers are kept.'),
  shutdown: optional(SHUTDOWN_SHAPE, 'How the service ends.'),
  limits: optional(LIMITS_SHAPE, 'What is taken from the network at most.'),
  roles: optional(ROLES_SHAPE, 'What the roles of jobs are.'),
  networks: optional(NETWORKS_SHAPE, 'What the identifiers of a VpcConfig stand for.'),
  nodes: optional(NODES_SHAPE, 'How several nodes work on one database.'),
  license: optional(LICENSE_SHAPE, 'How licence terms of models are recognized.'),
});

export type FileConfiguration = Infer<typeof CONFIGURATION_SHAPE>;
