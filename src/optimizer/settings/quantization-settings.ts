import { quoted } from '../../checkpoint/errors.js';
import {
  BUILT_TECHNIQUES,
  type BuiltTechnique,
  DEFAULT_TECHNIQUE,
  findSetting,
  isBuilt,
  type SettingDefinition,
  settingsOf,
} from './definitions.js';
import { SettingsError } from './errors.js';
import { collectSettings, ENVIRONMENT_PREFIX, type GivenSettings } from './given.js';
import { type ModulePattern, parseModulePatterns } from './module-pattern.js';
import type { Properties } from './properties.js';
import { suggest } from './suggest.js';

/** The encoding that is asked for; a layer whose shape it does not fit gets a near one. */
export type RequestedScheme =
  | { readonly technique: 'fp8' }
  | { readonly technique: 'int8' }
  | {
      readonly technique: 'rtn';
      readonly bits: 4 | 8;
      /** Columns that share a scale; undefined for one scale per output channel. */
      readonly groupSize: number | undefined;
      readonly zeroPoint: boolean;
    };

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
  const read = (key: string): string => readValue(given, key).value;
  if (read('evaluate') === 'true') {
    throw new SettingsError(
      optionName('evaluate'),
      `${optionName('evaluate')} is true, but perplexity is not built yet; leave it out or set it to false`,
    );
  }
  const ignoreKey = ignoreSetting(technique);
  const ignore = readValue(given, ignoreKey);
  return {
    scheme: readScheme(technique, given),
    ignore: {
      setting: ignore.label,
      given: given.own.has(ignoreKey),
      patterns: parseModulePatterns(ignore.label, ignore.value),
    },
    serving: new Map([...given.serving].map(([key, { value }]) => [key, value])),
    effective: effectiveSettings(given, technique),
    notes,
  };
}

/** `OPTION_RTN_BLOCK_SIZE` for `rtn_block_size`. */
export function optionName(key: string): string {
  return `${ENVIRONMENT_PREFIX}${key.toUpperCase()}`;
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

function readTechnique(given: GivenSettings): BuiltTechnique {
  const named = given.own.get('quantize');
  const built = BUILT_TECHNIQUES.join(', ');
  if (named === undefined) {
    throw new SettingsError(
      optionName('quantize'),
      `${optionName('quantize')} is not set, and its default, ${DEFAULT_TECHNIQUE}, is not built yet; set it to one of ${built}`,
    );
  }
  const { value } = readValue(given, 'quantize');
  if (!isBuilt(value)) {
    throw new SettingsError(
      named.label,
      `${named.label} is ${value}, which is not built yet; what works is ${built}`,
    );
  }
  return value;
}

/** Settings of another technique would do nothing. A caller who gives one expects otherwise and is
 * refused; one left in the model's folder is only mentioned. */
function checkTechniqueOf(given: GivenSettings, technique: BuiltTechnique): readonly string[] {
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

function readScheme(technique: BuiltTechnique, given: GivenSettings): RequestedScheme {
  const read = (key: string): string => readValue(given, key).value;
  switch (technique) {
    case 'fp8':
      if (read('fp8_scheme') !== 'FP8_DYNAMIC') {
        const { label } = readValue(given, 'fp8_scheme');
        const was = given.own.has('fp8_scheme') ? 'is FP8' : 'is not set, and its default is FP8';
        throw new SettingsError(
          label,
          `${label} ${was}, whose static activation scales are not built yet; set it to FP8_DYNAMIC`,
        );
      }
      return { technique };
    case 'int8':
      return { technique };
    case 'rtn': {
      const groupSize = Number(read('rtn_block_size'));
      return {
        technique,
        bits: read('rtn_weight_bit_width') === '8' ? 8 : 4,
        groupSize: groupSize === -1 ? undefined : groupSize,
        zeroPoint: read('rtn_zero_point') === 'true',
      };
    }
  }
}

function effectiveSettings(
  given: GivenSettings,
  technique: BuiltTechnique,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    settingsOf(technique).map(({ key }) => [optionName(key), readValue(given, key).value]),
  );
}

/** The setting that lists the modules a technique leaves alone. */
function ignoreSetting(technique: BuiltTechnique): string {
  const found = settingsOf(technique).find(({ values }) => values.kind === 'modules');
  if (found === undefined) throw new Error(`${technique} has no ignore list`);
  return found.key;
}

interface ReadValue {
  readonly value: string;
  readonly label: string;
}

/** A setting's value in its canonical spelling, or its default. */
function readValue(given: GivenSettings, key: string): ReadValue {
  const definition = findSetting(key);
  if (definition === undefined) throw new Error(`no setting is called ${key}`);
  const found = given.own.get(key);
  if (found === undefined) return { value: definition.default ?? '', label: optionName(key) };
  return { value: canonical(definition, found.value, found.label), label: found.label };
}

function canonical(definition: SettingDefinition, value: string, label: string): string {
  const { values } = definition;
  if (values.kind === 'modules' || values.kind === 'unread') return value;
  const allowed = values.kind === 'boolean' ? ['true', 'false'] : values.allowed;
  const asked = value.trim().toLowerCase();
  const match = allowed.find((choice) => choice.toLowerCase() === asked);
  if (match !== undefined) return match;
  // One digit more or less is another number, not a slip.
  const spellings = new Map(allowed.map((choice) => [choice.toLowerCase(), choice]));
  const near = /^-?\d+$/.test(asked) ? undefined : suggest(asked, spellings.keys());
  throw new SettingsError(
    label,
    `${label} is ${quoted(value)}, but must be one of ${allowed.join(', ')}${
      near === undefined ? '' : `; did you mean ${spellings.get(near)}?`
    }`,
  );
}
