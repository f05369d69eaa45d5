import { validationError } from '../../service-model/errors.js';
import type { OperationInput } from '../../service-model/operations.js';
import {
  RESUME_SETTING,
  resumedJobOf,
  type Step,
  stepsOf,
} from '../../service-model/techniques.js';
import type { JobRecord } from '../../store/job-record.js';
import type { OperationContext } from '../operation-context.js';

type CreateInput = OperationInput<'CreateOptimizationJob'>;

/**
 * Checks that there is a job to go on from, and that this one would do the same work. Whether the source
 * and the texts are what they were shows when they are read.
 * @throws ServiceError `ValidationException`
 */
export async function checkResume(
  context: Pick<OperationContext, 'store' | 'kept'>,
  input: CreateInput,
): Promise<void> {
  for (const [index, config] of input.OptimizationConfigs.entries()) {
    const own: { readonly OverrideEnvironment?: object } = Object.values(config)[0];
    if (Object.hasOwn(own.OverrideEnvironment ?? {}, RESUME_SETTING)) {
      throw validationError(
        `OptimizationConfigs member ${index + 1}: ${RESUME_SETTING} is about the whole job. Give it in OptimizationEnvironment.`,
      );
    }
  }
  const name = resumedJobOf(input);
  if (name === undefined) return;
  const job = await context.store.get(name);
  if (job === undefined) {
    throw validationError(`${RESUME_SETTING}: there is no optimization job ${name}.`);
  }
  if (job.status !== 'STOPPED' && job.status !== 'FAILED') {
    throw validationError(
      `${RESUME_SETTING}: the optimization job ${name} is ${job.status}. Only a job that is STOPPED or FAILED can be gone on from.`,
    );
  }
  const difference = differenceOf(job, input);
  if (difference !== undefined) {
    throw validationError(
      `${RESUME_SETTING}: this is not the work of the optimization job ${name}: ${difference}. Send the same request, or leave ${RESUME_SETTING} out.`,
    );
  }
  if (!(await context.kept.has(name))) {
    throw validationError(
      `${RESUME_SETTING}: nothing is kept of the optimization job ${name}: it had finished nothing, another job has gone on from it, or it was removed for its age or its size. Leave ${RESUME_SETTING} out to start over.`,
    );
  }
}

/** What a request asks for otherwise than a job did, in words. */
function differenceOf({ request }: JobRecord, input: CreateInput): string | undefined {
  const [before, now] = [request.ModelSource.S3?.S3Uri, input.ModelSource.S3?.S3Uri];
  if (before !== now) return `its ModelSource is ${before}, and here it is ${now}`;
  const [steps, wanted] = [stepsOf(request), stepsOf(input)];
  const techniques = (list: readonly Step[]) => list.map((step) => step.technique).join(', ');
  if (techniques(steps) !== techniques(wanted)) {
    return `its technique is ${techniques(steps)}, and here it is ${techniques(wanted)}`;
  }
  for (const [index, { environment }] of wanted.entries()) {
    const earlier = steps[index]?.environment ?? {};
    const names = [...new Set([...Object.keys(earlier), ...Object.keys(environment)])].sort();
    const name = names.find((setting) => earlier[setting] !== environment[setting]);
    if (name === undefined) continue;
    const value = (text: string | undefined) => (text === undefined ? 'not set' : text);
    return `its ${name} is ${value(earlier[name])}, and here it is ${value(environment[name])}`;
  }
  return undefined;
}
