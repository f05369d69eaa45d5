import {
  type CompilationSettings,
  parseCompilationSettings,
} from '../../optimizer/settings/compilation-settings.js';
import { SettingsError } from '../../optimizer/settings/errors.js';
import { parseQuantizationSettings } from '../../optimizer/settings/quantization-settings.js';
import {
  parseShardingSettings,
  type ShardingSettings,
} from '../../optimizer/settings/sharding-settings.js';
import { validationError } from '../../service-model/errors.js';
import type { Step } from '../../service-model/techniques.js';

/** Names that the contract with the step's program keeps for itself. */
const RESERVED_PREFIX = 'SM_NEO_';

/**
 * Checks the settings of every step of the built-in optimizer with its own rules, so that a bad one is refused
 * before the job is accepted.
 * @throws ServiceError `ValidationException` that names the setting
 */
export function checkEnvironment(steps: readonly Step[]): void {
  for (const [index, step] of steps.entries()) {
    const config = `OptimizationConfigs member ${index + 1}`;
    const reserved = Object.keys(step.environment).find((name) => name.startsWith(RESERVED_PREFIX));
    if (reserved !== undefined) {
      throw validationError(
        `${config}: the environment variable ${reserved} is reserved; names that begin with ${RESERVED_PREFIX} are set by the service.`,
      );
    }
    // What an image makes of its environment is its own business.
    if (step.image !== undefined) continue;
    try {
      if (step.technique === 'quantization') parseQuantizationSettings(step.environment);
      if (step.technique === 'sharding') readShardingSettings(step, steps);
      if (step.technique === 'compilation') readCompilationSettings(step, steps);
    } catch (error) {
      if (error instanceof SettingsError) throw validationError(`${config}: ${error.message}`);
      throw error;
    }
  }
}

/**
 * The settings of a sharding step. Behind a quantization step it sees those of quantization too, which
 * the job may give to all of its steps.
 * @throws SettingsError that names the setting
 */
export function readShardingSettings(step: Step, steps: readonly Step[]): ShardingSettings {
  return parseShardingSettings(step.environment, undefined, quantizedBefore(step, steps));
}

/**
 * The settings of a compilation step, read like those of a sharding step.
 * @throws SettingsError that names the setting
 */
function readCompilationSettings(step: Step, steps: readonly Step[]): CompilationSettings {
  const quantized = quantizedBefore(step, steps);
  const settings = parseCompilationSettings(step.environment, undefined, quantized);
  for (const other of steps) {
    if (other.technique === 'quantization' && other.image === undefined) checkCompilable(other);
  }
  return settings;
}

/** ONNX Runtime multiplies codes of four and eight bits on processors, and no FP8. */
function checkCompilable({ environment }: Step): void {
  const { scheme } = parseQuantizationSettings(environment);
  if (scheme.technique === 'fp8') {
    throw new SettingsError(
      'OPTION_QUANTIZE',
      'OPTION_QUANTIZE=fp8 cannot be compiled by the built-in compiler: ONNX Runtime does not multiply FP8 on processors. Give the step the Image of a TensorRT-LLM compiler, or choose awq, gptq, rtn, int8 or smoothquant.',
    );
  }
  if ('bits' in scheme && scheme.bits < 4) {
    const name = `OPTION_${scheme.technique.toUpperCase()}_WEIGHT_BIT_WIDTH`;
    throw new SettingsError(
      name,
      `${name}=${scheme.bits} cannot be compiled: ONNX Runtime multiplies weights of 4 and 8 bits.`,
    );
  }
}

const quantizedBefore = (step: Step, steps: readonly Step[]): boolean =>
  steps.slice(0, steps.indexOf(step)).some(({ technique }) => technique === 'quantization');
