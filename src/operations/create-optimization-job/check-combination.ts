import { validationError } from '../../service-model/errors.js';
import type { Step, TechniqueName } from '../../service-model/techniques.js';

/**
 * Pairs of techniques that one job can't have, and why. Sharding behind quantization is taken, as
 * ordered steps, although SageMaker itself refuses it.
 */
const EXCLUSIVE_PAIRS: readonly {
  readonly techniques: readonly [TechniqueName, TechniqueName];
  readonly reason: string;
}[] = [
  {
    techniques: ['compilation', 'speculative-decoding'],
    reason: 'Compilation and speculative decoding can’t be combined in one job.',
  },
  {
    techniques: ['sharding', 'compilation'],
    reason: 'Sharding can’t be combined with compilation in one job.',
  },
  {
    techniques: ['sharding', 'speculative-decoding'],
    reason: 'Sharding can’t be combined with speculative decoding in one job.',
  },
];

/**
 * Which techniques may stand together in one job, and in what order.
 * @throws ServiceError `ValidationException`
 */
export function checkCombination(steps: readonly Step[]): void {
  const [first] = steps;
  if (first === undefined) {
    throw validationError('OptimizationConfigs is empty; give at least one optimization config.');
  }
  const techniques = steps.map((step) => step.technique);
  for (const { techniques: pair, reason } of EXCLUSIVE_PAIRS) {
    if (pair.every((technique) => techniques.includes(technique))) throw validationError(reason);
  }
  for (const [index, technique] of techniques.entries()) {
    const earlier = techniques.indexOf(technique);
    if (earlier !== index) {
      throw validationError(
        `OptimizationConfigs has two ${technique} steps (${earlier + 1} and ${index + 1}); the second would have to change what the first has made. Keep one.`,
      );
    }
  }
  const compilation = techniques.indexOf('compilation');
  if (compilation !== -1 && compilation !== techniques.length - 1) {
    throw validationError(
      'Compilation must be the last optimization config: quantize first, then compile.',
    );
  }
  const sharding = techniques.indexOf('sharding');
  if (sharding !== -1 && sharding !== techniques.length - 1) {
    throw validationError(
      'Sharding must be the last optimization config: quantize first, then shard.',
    );
  }
  for (const [index, step] of steps.entries()) {
    if (
      step.technique === 'sharding' &&
      step.environment.OPTION_TENSOR_PARALLEL_DEGREE === undefined
    ) {
      throw validationError(
        `OptimizationConfigs member ${index + 1} shards the model, which needs OPTION_TENSOR_PARALLEL_DEGREE in OptimizationEnvironment or OverrideEnvironment.`,
      );
    }
  }
}
