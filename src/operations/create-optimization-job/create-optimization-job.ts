import { RoleNotAssumableError } from '../../identity/job-roles/role-access.js';
import { DEFAULT_MAX_RUNTIME_SECONDS, queueLimit } from '../../jobs/time-limits.js';
import { ServiceError, validationError } from '../../service-model/errors.js';
import type { OperationInput, OperationOutput } from '../../service-model/operations.js';
import { stepsOf } from '../../service-model/techniques.js';
import { JobExistsError } from '../../store/job-store.js';
import { currentRequestId } from '../../telemetry/request-scope.js';
import { checkTags } from '../check-tags.js';
import { jobArn } from '../job-arn.js';
import type { OperationContext } from '../operation-context.js';
import { checkCombination } from './check-combination.js';
import { checkEncryption } from './check-encryption.js';
import { checkEnvironment } from './check-environment.js';
import { checkExecutors } from './check-executors.js';
import { checkHardware } from './check-hardware.js';
import { checkLocations } from './check-locations.js';
import { checkResume } from './check-resume.js';
import { checkStoppingCondition } from './check-stopping-condition.js';
import { checkUnsupportedMembers } from './check-unsupported-members.js';

/**
 * Accepts a job, or says why not. What can be known to be wrong before any byte of the model is
 * read is refused here; the job is durable when this is fulfilled.
 *
 * @throws ServiceError `ValidationException`, `ResourceInUse`, `ResourceLimitExceeded` or
 * `ServiceUnavailable`
 */
export async function createOptimizationJob(
  context: OperationContext,
  input: OperationInput<'CreateOptimizationJob'>,
): Promise<OperationOutput<'CreateOptimizationJob'>> {
  if (!context.queue.isOpen) {
    throw new ServiceError(
      'ServiceUnavailable',
      'The service is going down and takes no more jobs. Try again when it is back.',
    );
  }
  const { Tags: tags = [], ...given } = input;
  const steps = stepsOf(input);
  checkTags(tags);
  checkStoppingCondition(input.StoppingCondition);
  checkCombination(steps);
  checkUnsupportedMembers(input, steps);
  checkEnvironment(steps);
  checkHardware(input.DeploymentInstanceType, steps);
  const name = input.OptimizationJobName;
  const arn = jobArn(context, name);
  // Before the locations: whoever sends a request twice is to hear that the job is there.
  if ((await context.store.get(name)) !== undefined) throw nameTaken(arn);
  await checkExecutors(context, input, steps);
  const objects = await objectsOfRole(context, input.RoleArn, name);
  await checkResume(context, input);
  await checkLocations({ objects, locate: context.locate }, input);
  await checkEncryption(context, input, arn);

  if ((await context.store.countInState('STARTING')) >= context.maxQueuedJobs) {
    throw new ServiceError(
      'ResourceLimitExceeded',
      `${context.maxQueuedJobs} optimization jobs are waiting already, the most that this service takes. Try again when some have started.`,
    );
  }
  const request = {
    ...given,
    StoppingCondition: {
      MaxRuntimeInSeconds: DEFAULT_MAX_RUNTIME_SECONDS,
      ...given.StoppingCondition,
    },
  };
  const createdAt = Date.now();
  const optimizationTypes = [...new Set(steps.map((step) => step.optimizationType))];
  try {
    await context.store.create({
      name,
      arn,
      request,
      optimizationTypes,
      tags,
      createdAt,
      requestId: currentRequestId(),
      queueDeadline: queueLimit({ request, createdAt })?.at,
    });
  } catch (error) {
    if (!(error instanceof JobExistsError)) throw error;
    throw nameTaken(arn);
  }
  context.queue.notify();
  return { OptimizationJobArn: arn };
}

/** @throws ServiceError `ValidationException` when SageMaker can't assume the role */
async function objectsOfRole(
  { roles, ...context }: OperationContext,
  roleArn: string,
  name: string,
) {
  try {
    return await roles.objectsFor({ roleArn, jobName: name, jobArn: jobArn(context, name) });
  } catch (error) {
    if (!(error instanceof RoleNotAssumableError)) throw error;
    throw validationError(error.message, { cause: error });
  }
}

const nameTaken = (arn: string) =>
  new ServiceError('ResourceInUse', `The optimization job ${arn} exists already.`);
