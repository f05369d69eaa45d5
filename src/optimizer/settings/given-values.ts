import { canonicalValue } from './canonical-value.js';
import { findSetting } from './definitions.js';
import { ENVIRONMENT_PREFIX, type GivenSettings } from './given.js';

/** `OPTION_RTN_BLOCK_SIZE` for `rtn_block_size`. */
export function optionName(key: string): string {
  return `${ENVIRONMENT_PREFIX}${key.toUpperCase()}`;
}

/** A setting's value, and its name as the caller gave it. */
export interface ReadValue {
  readonly value: string;
  readonly label: string;
}

/** A setting's value in its canonical spelling, or its default. */
export function readValue(given: GivenSettings, key: string): ReadValue {
  const definition = findSetting(key);
  if (definition === undefined) throw new Error(`no setting is called ${key}`);
  const found = given.own.get(key);
  if (found === undefined) return { value: definition.default ?? '', label: optionName(key) };
  return { value: canonicalValue(definition.values, found.value, found.label), label: found.label };
}

/** A setting that is one of a few words. */
export function readChoice<Choice extends string>(
  given: GivenSettings,
  key: string,
  choices: readonly Choice[],
): Choice {
  const { value } = readValue(given, key);
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new Error(`${key} can be ${value}, which nothing expects`);
  return found;
}

/** Undefined where it is not given and has no default. */
export function readNumber(given: GivenSettings, key: string): number | undefined {
  const { value } = readValue(given, key);
  return value === '' ? undefined : Number(value);
}
