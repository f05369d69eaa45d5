import type { CalibrationSettings } from '../settings/quantization-settings.js';

/** How long calibration may be expected to take before its defaults are cut down. */
const MAX_SECONDS = 4 * 3600;

/** What is not gone below when the defaults are cut down. */
const LEAST_SAMPLES = 32;
const LEAST_SAMPLE_TOKENS = 512;

/** What calibration costs, and the machine it runs on. */
export interface CalibrationCost {
  /** Floating-point operations for each token. */
  readonly perToken: number;
  /** Floating-point operations a second. */
  readonly speed: number;
  /** Longest sample that the model takes. */
  readonly maxPositions: number;
}

/** How many samples are taken, of how many tokens, and in sentences why it is not what was asked for. */
export interface AffordableSamples {
  readonly samples: number;
  readonly sampleTokens: number;
  readonly notes: readonly string[];
}

/** Cuts defaults down where the work would take absurdly long on this machine: first the length of
 * samples, then their number. What the caller gave is kept, but for samples longer than the model takes. */
export function affordableSamples(
  { perToken, speed, maxPositions }: CalibrationCost,
  asked: CalibrationSettings,
): AffordableSamples {
  const { samplesGiven, sampleTokensGiven } = asked;
  const limit = (speed * MAX_SECONDS) / perToken;
  const notes: string[] = [];
  let { samples } = asked;
  let sampleTokens = Math.min(asked.sampleTokens, maxPositions);
  if (sampleTokensGiven && sampleTokens < asked.sampleTokens) {
    notes.push(
      `Samples have ${sampleTokens} tokens instead of ${asked.sampleTokens}: the model takes no more.`,
    );
  }
  const before = `${samples} samples of ${sampleTokens} tokens`;
  if (!sampleTokensGiven) {
    while (samples * sampleTokens > limit && sampleTokens > LEAST_SAMPLE_TOKENS) {
      sampleTokens = Math.max(LEAST_SAMPLE_TOKENS, Math.floor(sampleTokens / 2));
    }
  }
  if (!samplesGiven) {
    while (samples * sampleTokens > limit && samples > LEAST_SAMPLES) {
      samples = Math.max(LEAST_SAMPLES, Math.floor(samples / 2));
    }
  }
  const after = `${samples} samples of ${sampleTokens} tokens`;
  if (after !== before) {
    notes.push(
      `Calibration was cut down from ${before} to ${after}, since more would take too long on this machine; OPTION_CALIB_SIZE and OPTION_MAX_MODEL_LEN set other numbers.`,
    );
  }
  return { samples, sampleTokens, notes };
}
