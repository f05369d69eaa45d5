import { networkOf } from '../../jobs/step-place.js';
import { validationError } from '../../service-model/errors.js';
import type { OperationInput } from '../../service-model/operations.js';
import type { Step } from '../../service-model/techniques.js';
import type { OperationContext } from '../operation-context.js';

/**
 * Refuses a job one of whose steps has nowhere to run: an image without an engine, say.
 * @throws ServiceError `ValidationException` with what the executor says
 */
export async function checkExecutors(
  { executor }: Pick<OperationContext, 'executor'>,
  input: OperationInput<'CreateOptimizationJob'>,
  steps: readonly Step[],
): Promise<void> {
  const network = networkOf(input.VpcConfig);
  const instanceType = input.DeploymentInstanceType;
  for (const [index, { technique, image }] of steps.entries()) {
    const refusal = await executor.refusal({ technique, image, network, instanceType });
    if (refusal === undefined) continue;
    throw validationError(`OptimizationConfigs member ${index + 1}: ${refusal}`);
  }
}
