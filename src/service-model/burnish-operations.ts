/**
 * What Burnish serves beyond AWS's API, in the same protocol under a target prefix of its own, so
 * that an SDK's signing and transport can be used for it too.
 */
import { EntityName, Timestamp } from './common-shapes.js';
import type { Operation } from './operations.js';
import { OptimizationJobStatus } from './optimization-job-shapes.js';
import { type Infer, integer, number, optional, required, string, structure } from './shape.js';

export const BURNISH_TARGET_PREFIX = 'Burnish';

export const BURNISH_OPERATIONS = {
  DescribeOptimizationJobProgress: {
    documentation: 'Tells what a job is doing at this moment.',
    input: structure('DescribeOptimizationJobProgressRequest', {
      OptimizationJobName: required(EntityName, 'The name of the job.'),
    }),
    output: structure('DescribeOptimizationJobProgressResponse', {
      OptimizationJobName: required(EntityName, 'The name of the job.'),
      OptimizationJobStatus: required(OptimizationJobStatus, 'The state of the job.'),
      Step: optional(integer({ min: 1 }), 'The step that runs, counted from 1.'),
      Steps: required(integer({ min: 1 }), 'How many steps the job has.'),
      Phase: optional(string(), 'What the step is doing, for example quantizing.'),
      TensorsDone: optional(integer({ min: 0 }), 'Tensors that are finished.'),
      TensorsTotal: optional(integer({ min: 0 }), 'Tensors in all.'),
      BytesDone: optional(number, 'Bytes of the source that are finished.'),
      BytesTotal: optional(number, 'Bytes of the source in all.'),
      BytesPerSecond: optional(number, 'How fast the bytes go.'),
      SecondsLeft: optional(number, 'How long the phase still takes at this rate.'),
      Layer: optional(string(), 'The layer that was finished last.'),
      UpdatedTime: optional(Timestamp, 'When the step last said so.'),
    }),
    errors: ['ResourceNotFound'],
  },
} as const satisfies Record<string, Operation>;

export type OptimizationJobProgress = Infer<
  (typeof BURNISH_OPERATIONS)['DescribeOptimizationJobProgress']['output']
>;
