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
  const quantized = steps
    .slice(0, steps.indexOf(step))
    .some(({ technique }) => technique === 'quantization');
  return parseShardingSettings(step.environment, undefined, quantized);
}
