import { DEFAULT_MAX_RUNTIME_SECONDS } from '../../jobs/time-limits.js';
import { validationError } from '../../service-model/errors.js';
import type { OperationInput } from '../../service-model/operations.js';

/** 28 days, SageMaker's limit for one job. */
const MAX_RUNTIME_SECONDS = 28 * 86_400;

/**
 * Rules of the stopping condition that its shape can't say.
 * @throws ServiceError `ValidationException`
 */
export function checkStoppingCondition(
  condition: OperationInput<'CreateOptimizationJob'>['StoppingCondition'],
): void {
  const { MaxRuntimeInSeconds: runtime = DEFAULT_MAX_RUNTIME_SECONDS, MaxWaitTimeInSeconds: wait } =
    condition;
  if (runtime > MAX_RUNTIME_SECONDS) {
    throw validationError(
      `StoppingCondition.MaxRuntimeInSeconds is ${runtime}; the most is ${MAX_RUNTIME_SECONDS} (28 days).`,
    );
  }
  if (wait !== undefined && wait < runtime) {
    throw validationError(
      `StoppingCondition.MaxWaitTimeInSeconds (${wait}) must not be below MaxRuntimeInSeconds (${runtime}): it counts the waiting and the running together.`,
    );
  }
}
