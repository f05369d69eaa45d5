import { CheckpointError, quoted } from '../../errors.js';
import { CONFIG_FILE } from '../../hf-config.js';
import type { JsonObject, JsonValue } from '../../json.js';

/** Sizes in published models stay far below this; products of a few of them stay exact. */
const MAX_COUNT = 2 ** 26;

/** Typed access to a model's configuration.
 * Every method throws CheckpointError naming the key that is missing or of another type. */
export class ConfigReader {
  readonly #values: JsonObject;

  constructor(values: JsonObject) {
    this.#values = values;
  }

  value(key: string): JsonValue | undefined {
    return Object.hasOwn(this.#values, key) ? (this.#values[key] ?? undefined) : undefined;
  }

  optional(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value)) return fail(key, value, 'a number');
    return value;
  }

  number(key: string): number {
    return this.optional(key) ?? fail(key, undefined, 'a number');
  }

  optionalCount(key: string, max = MAX_COUNT): number | undefined {
    const value = this.optional(key);
    if (value === undefined) return undefined;
    if (!Number.isInteger(value) || value < 1 || value > max) {
      return fail(key, value, `a whole number from 1 to ${max}`);
    }
    return value;
  }

  count(key: string, max = MAX_COUNT): number {
    return this.optionalCount(key, max) ?? fail(key, undefined, 'a whole number');
  }

  flag(key: string): boolean {
    const value = this.value(key) ?? false;
    return typeof value === 'boolean' ? value : fail(key, value, 'true or false');
  }

  /** The text under the first key that is there. */
  text(...keys: readonly string[]): string {
    for (const key of keys) {
      const value = this.value(key);
      if (typeof value === 'string') return value;
      if (value !== undefined) return fail(key, value, 'a string');
    }
    return fail(keys.join(' or '), undefined, 'a string');
  }
}

function fail(key: string, value: JsonValue | undefined, wanted: string): never {
  throw new CheckpointError(
    value === undefined
      ? `has no ${key}, which must be ${wanted}`
      : `has ${key} ${quoted(JSON.stringify(value))}, which is not ${wanted}`,
    { file: CONFIG_FILE },
  );
}
