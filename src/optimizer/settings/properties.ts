import { SettingsError } from './errors.js';

/** Real files have a dozen lines. */
export const MAX_PROPERTIES_BYTES = 256 * 1024;

export const PROPERTIES_FILE = 'serving.properties';

/** Prefix of the keys that the serving container's backend and the optimizer read. */
export const OPTION_PREFIX = 'option.';

/** Key to value, in the order of the file. */
export type Properties = ReadonlyMap<string, string>;

/** Reads a `serving.properties`: one `key=value` a line, lines that begin with `#` or `!` are comments.
 * Values are kept as they are written.
 * @throws SettingsError naming the line that is not `key=value`. */
export function parseProperties(text: string): Properties {
  const properties = new Map<string, string>();
  text.split(/\r\n|\n|\r/).forEach((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith('!')) return;
    const separator = trimmed.indexOf('=');
    const key = trimmed.slice(0, Math.max(separator, 0)).trim();
    if (key === '') {
      throw new SettingsError(
        PROPERTIES_FILE,
        `${PROPERTIES_FILE}, line ${index + 1} is not of the form key=value`,
      );
    }
    properties.set(key, trimmed.slice(separator + 1).trim());
  });
  return properties;
}

/** The text of a properties file, a line a property. */
export function formatProperties(properties: Properties): string {
  return [...properties].map(([key, value]) => `${key}=${value}\n`).join('');
}
