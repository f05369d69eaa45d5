import { quoted } from '../../checkpoint/errors.js';
import { findSetting, QUANTIZATION_TECHNIQUES, SETTINGS } from './definitions.js';
import { SettingsError } from './errors.js';
import { OPTION_PREFIX, PROPERTIES_FILE, type Properties } from './properties.js';
import { SERVING_OPTIONS } from './serving-options.js';
import { suggest } from './suggest.js';

/** Prefix of the caller's settings in an environment. */
export const ENVIRONMENT_PREFIX = 'OPTION_';

/** Names that the service keeps for itself. */
const RESERVED_PREFIX = 'SM_NEO_';

/** The API bounds its values far below this; a file's line is no longer. */
const MAX_VALUE_LENGTH = 16 * 1024;

/** A value and where it was given. */
export interface GivenValue {
  readonly value: string;
  /** `OPTION_RTN_BLOCK_SIZE`, or `option.rtn_block_size in serving.properties`. */
  readonly label: string;
  readonly fromFile: boolean;
}

/** What a caller and the source model's properties give, by key without prefix. */
export interface GivenSettings {
  /** The optimizer's own settings. */
  readonly own: ReadonlyMap<string, GivenValue>;
  /** Options of the serving container, to be carried through. */
  readonly serving: ReadonlyMap<string, GivenValue>;
  readonly notes: readonly string[];
}

/** Sorts what was given into the optimizer's settings and the serving container's. The environment
 * wins over the file.
 * @throws SettingsError for reserved names, names that are nearly a known one, and names that look
 * like a technique's but are none. */
export function collectSettings(
  environment: Readonly<Record<string, string>>,
  properties: Properties,
): GivenSettings {
  const own = new Map<string, GivenValue>();
  const serving = new Map<string, GivenValue>();
  const notes: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    checkValue(name, value);
    if (!name.startsWith(ENVIRONMENT_PREFIX)) {
      checkUnprefixed(name);
      notes.push(
        `${name} is not an ${ENVIRONMENT_PREFIX} setting; the built-in optimizer does not use it.`,
      );
      continue;
    }
    const key = name.slice(ENVIRONMENT_PREFIX.length).toLowerCase();
    const other = own.get(key) ?? serving.get(key);
    if (other !== undefined) {
      throw new SettingsError(name, `${name} and ${other.label} are the same setting; give one`);
    }
    const known = findSetting(key) !== undefined;
    if (!known) checkUnknown(name, key);
    (known ? own : serving).set(key, { value, label: name, fromFile: false });
  }
  for (const [name, value] of properties) {
    if (!name.startsWith(OPTION_PREFIX)) continue;
    const key = name.slice(OPTION_PREFIX.length);
    if (own.has(key) || serving.has(key)) continue;
    const label = `${name} in ${PROPERTIES_FILE}`;
    checkValue(label, value);
    (findSetting(key) === undefined ? serving : own).set(key, { value, label, fromFile: true });
  }
  return { own, serving, notes };
}

function checkValue(name: string, value: string): void {
  // A line break would smuggle further lines into the serving.properties that is written.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (/[\u0000-\u001f\u007f]/.test(value)) {
    throw new SettingsError(name, `${name} has a control character in its value`);
  }
  if (value.length > MAX_VALUE_LENGTH) {
    throw new SettingsError(name, `${name} is longer than ${MAX_VALUE_LENGTH} characters`);
  }
}

function checkUnprefixed(name: string): void {
  if (name.startsWith(RESERVED_PREFIX)) {
    throw new SettingsError(name, `${name} cannot be set: ${RESERVED_PREFIX} names are reserved`);
  }
  const key = name.toLowerCase();
  const [prefix = ''] = name.split('_');
  const meant =
    findSetting(key) !== undefined
      ? key
      : suggest(prefix, [ENVIRONMENT_PREFIX.slice(0, -1)]) !== undefined
        ? key.slice(prefix.length + 1)
        : undefined;
  if (meant !== undefined) {
    throw new SettingsError(
      name,
      `${name} is not a setting; did you mean ${ENVIRONMENT_PREFIX}${meant.toUpperCase()}?`,
    );
  }
}

function checkUnknown(name: string, key: string): void {
  if (!/^[a-z0-9_.]+$/.test(key)) {
    throw new SettingsError(name, `${quoted(name)} is not a setting's name`);
  }
  if (SERVING_OPTIONS.includes(key)) return;
  const technique = QUANTIZATION_TECHNIQUES.find((prefix) => key.startsWith(`${prefix}_`));
  const ownKeys = SETTINGS.map((setting) => setting.key);
  const near = suggest(key, [...ownKeys, ...SERVING_OPTIONS]);
  if (near !== undefined) {
    throw new SettingsError(
      name,
      `${name} is not a setting; did you mean ${ENVIRONMENT_PREFIX}${near.toUpperCase()}?`,
    );
  }
  if (technique !== undefined) {
    const known = ownKeys.filter((setting) => setting.startsWith(`${technique}_`));
    throw new SettingsError(
      name,
      `${name} is not a setting of ${technique}${
        known.length === 0
          ? ''
          : `; those are ${known.map((setting) => ENVIRONMENT_PREFIX + setting.toUpperCase()).join(', ')}`
      }`,
    );
  }
}
