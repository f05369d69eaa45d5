import { quoted } from '../../checkpoint/errors.js';
import { findSetting, QUANTIZATION_TECHNIQUES, settingsOf, type Technique } from './definitions.js';
import { SettingsError } from './errors.js';
import { collectSettings, type GivenSettings } from './given.js';
import { optionName, readChoice, readNumber, readValue } from './given-values.js';
import { type ModulePattern, parseModulePatterns } from './module-pattern.js';
import type { Properties } from './properties.js';
import { type RequestedScheme, readScheme } from './requested-scheme.js';

/** What a calibrated technique is to be given. */
export interface CalibrationSettings {
  /** Samples, and tokens in each. */
  readonly samples: number;
  readonly sampleTokens: number;
  /** Whether the caller gave the number of samples, or their length; otherwise it may be cut down. */
  readonly samplesGiven: boolean;
  readonly sampleTokensGiven: boolean;
  readonly seed: number;
  /** Processor threads of forward passes; undefined for as many as there are. */
  readonly threads: number | undefined;
  /** As the caller named it; undefined for the bundled text. */
  readonly dataset: string | undefined;
}

/** How perplexity is to be measured. */
export interface EvaluationSettings {
  readonly enabled: boolean;
  readonly dataset: string | undefined;
  /** Undefined where the machine decides. */
  readonly tokens: number | undefined;
  /** Largest quotient of perplexity after and before that is accepted. */
  readonly maxIncrease: number | undefined;
}

/** The settings of one quantization step, checked. */
export interface QuantizationSettings {
  readonly scheme: RequestedScheme;
  readonly ignore: {
    /** The setting's name, for messages. */
    readonly setting: string;
    /** Whether the caller gave it; otherwise it is the default. */
    readonly given: boolean;
    readonly patterns: readonly ModulePattern[];
  };
  /** Undefined for techniques that need no data. */
  readonly calibration: CalibrationSettings | undefined;
  readonly evaluation: EvaluationSettings;
  readonly executionProvider: 'cpu' | 'webgpu' | 'cuda';
  /** Options for the serving container, by key without prefix. */
  readonly serving: ReadonlyMap<string, string>;
  /** Every setting of the technique with the value that was used, by its `OPTION_` name. */
  readonly effective: Readonly<Record<string, string>>;
  /** What the caller should know: settings that have no effect here. */
  readonly notes: readonly string[];
}

/** Reads and checks the settings of a quantization step. It reads nothing but its arguments, so that
 * whoever accepts jobs can refuse bad settings before accepting one.
 * @param environment the caller's settings, `OPTION_X` to value.
 * @param properties the source model's `serving.properties`, if it is at hand; the environment wins.
 * @throws SettingsError naming the setting, the value and what is allowed. */
export function parseQuantizationSettings(
  environment: Readonly<Record<string, string>>,
  properties: Properties = new Map(),
): QuantizationSettings {
  const given = collectSettings(environment, properties);
  refuseSharding(given);
  const technique = readTechnique(given);
  const notes = [...given.notes, ...checkTechniqueOf(given, technique)];
  const ignoreKey = ignoreSetting(technique);
  const ignore = readValue(given, ignoreKey);
  const scheme = readScheme(technique, given);
  const calibrated = !['rtn', 'int8'].includes(technique) && !isDynamicFp8(scheme);
  return {
    scheme,
    ignore: {
      setting: ignore.label,
      given: given.own.has(ignoreKey),
      patterns: parseModulePatterns(ignore.label, ignore.value),
    },
    calibration: calibrated ? readCalibration(given) : undefined,
    evaluation: readEvaluation(given),
    executionProvider: readChoice(given, 'execution_provider', ['cpu', 'webgpu', 'cuda']),
    serving: new Map([...given.serving].map(([key, { value }]) => [key, value])),
    effective: effectiveSettings(given, technique),
    notes,
  };
}

function refuseSharding(given: GivenSettings): void {
  const format = given.serving.get('load_format');
  if (format?.value === 'sagemaker_fast_model_loader') {
    throw new SettingsError(
      format.label,
      `${format.label} asks for sharding, which cannot be done in one step with quantization: quantize first, then shard`,
    );
  }
}

function readTechnique(given: GivenSettings): Technique {
  return readChoice(given, 'quantize', QUANTIZATION_TECHNIQUES);
}

/** Settings of another technique would do nothing. A caller who gives one expects otherwise and is
 * refused; one left in the model's folder is only mentioned. */
function checkTechniqueOf(given: GivenSettings, technique: Technique): readonly string[] {
  const notes: string[] = [];
  for (const [key, { label, fromFile }] of given.own) {
    const techniques = findSetting(key)?.techniques ?? [];
    if (techniques.includes(technique)) continue;
    if (!fromFile) {
      throw new SettingsError(
        label,
        `${label} is a setting of ${techniques.join(', ')}, but ${optionName('quantize')} is ${technique}`,
      );
    }
    notes.push(`${label} is a setting of ${techniques.join(', ')}; ${technique} does not use it.`);
  }
  return notes;
}

function isDynamicFp8(scheme: RequestedScheme): boolean {
  return scheme.technique === 'fp8' && !scheme.staticInputs;
}

/** Length of samples where nothing is said, as in the LMI containers. */
const DEFAULT_SAMPLE_TOKENS = 2048;

/** Longer samples than any model takes. */
const MAX_SAMPLE_TOKENS = 2 ** 24;

function readCalibration(given: GivenSettings): CalibrationSettings {
  return {
    samples: readNumber(given, 'calib_size') ?? 0,
    samplesGiven: given.own.has('calib_size'),
    ...readSampleTokens(given),
    seed: readNumber(given, 'calib_seed') ?? 0,
    threads: readNumber(given, 'calib_threads'),
    dataset: given.own.get('calib_dataset')?.value,
  };
}

/** The containers take the length of samples from an option that also goes to the serving engine. */
function readSampleTokens(
  given: GivenSettings,
): Pick<CalibrationSettings, 'sampleTokens' | 'sampleTokensGiven'> {
  const found = given.serving.get('max_model_len');
  if (found === undefined) {
    return { sampleTokens: DEFAULT_SAMPLE_TOKENS, sampleTokensGiven: false };
  }
  const sampleTokens = Number(found.value);
  if (!/^\d+$/.test(found.value.trim()) || sampleTokens < 1 || sampleTokens > MAX_SAMPLE_TOKENS) {
    throw new SettingsError(
      found.label,
      `${found.label} is ${quoted(found.value)}, but must be a whole number from 1 to ${MAX_SAMPLE_TOKENS}`,
    );
  }
  return { sampleTokens, sampleTokensGiven: true };
}

function readEvaluation(given: GivenSettings): EvaluationSettings {
  const enabled = readValue(given, 'evaluate').value === 'true';
  const limit = given.own.get('max_perplexity_increase');
  if (limit !== undefined && !enabled) {
    throw new SettingsError(
      limit.label,
      `${limit.label} is given, but ${optionName('evaluate')} is false, so perplexity would not be known`,
    );
  }
  return {
    enabled,
    dataset: given.own.get('eval_dataset')?.value,
    tokens: readNumber(given, 'eval_tokens'),
    maxIncrease: readNumber(given, 'max_perplexity_increase'),
  };
}

function effectiveSettings(
  given: GivenSettings,
  technique: Technique,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    settingsOf(technique)
      .filter(({ key, default: fallback }) => fallback !== undefined || given.own.has(key))
      .map(({ key }) => [optionName(key), readValue(given, key).value]),
  );
}

/** The setting that lists the modules a technique leaves alone. */
function ignoreSetting(technique: Technique): string {
  const found = settingsOf(technique).find(({ values }) => values.kind === 'modules');
  if (found === undefined) throw new Error(`${technique} has no ignore list`);
  return found.key;
}
