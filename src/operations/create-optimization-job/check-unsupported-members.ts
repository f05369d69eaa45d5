import { validationError } from '../../service-model/errors.js';
import type { OperationInput } from '../../service-model/operations.js';
import type { Step } from '../../service-model/techniques.js';

type CreateInput = OperationInput<'CreateOptimizationJob'>;

/** Members whose effect this version can't give; none is ever accepted and ignored. */
const UNSUPPORTED_MEMBERS: readonly {
  readonly member: string;
  readonly isSet: (input: CreateInput) => boolean;
}[] = [
  {
    member: 'ModelSource.SageMakerModel',
    isSet: (input) => input.ModelSource.SageMakerModel !== undefined,
  },
  {
    member: 'OutputConfig.SageMakerModel',
    isSet: (input) => input.OutputConfig.SageMakerModel !== undefined,
  },
  {
    member: 'TrainingPlanArns',
    isSet: (input) => (input.TrainingPlanArns ?? []).length > 0,
  },
];

/**
 * Refuses what this version of the service can't do, rather than to accept and ignore it.
 * @throws ServiceError `ValidationException` that names the member
 */
export function checkUnsupportedMembers(input: CreateInput, steps: readonly Step[]): void {
  for (const { member, isSet } of UNSUPPORTED_MEMBERS) {
    if (isSet(input)) {
      throw validationError(
        `${member} is not supported by this version of Burnish. Leave it out to run the job without it.`,
      );
    }
  }
  if (input.ModelSource.S3?.S3Uri === undefined) {
    throw validationError('ModelSource.S3.S3Uri is not set; it says where the model is.');
  }
  for (const [index, step] of steps.entries()) {
    const config = `OptimizationConfigs member ${index + 1}`;
    if (step.image !== undefined) continue;
    if (step.technique === 'speculative-decoding') {
      throw validationError(
        `${config}: ${step.technique} is not supported by the built-in optimizer of this version of Burnish; quantization, compilation and sharding are. Give an Image that does it.`,
      );
    }
  }
}
