import { COMPILATION_SETTINGS } from '../../settings/compilation-definitions.js';
import type { CompilationSettings } from '../../settings/compilation-settings.js';
import { formatProperties, OPTION_PREFIX, type Properties } from '../../settings/properties.js';
import { SERVING_OPTIONS } from '../../settings/serving-options.js';

/** Would send whoever serves the result back to the model it was made from, and describe a checkpoint that
 * is no longer there. */
const OUTDATED = ['model_id', 'quantize', 'load_format'] as const;

/** The text of the properties that are written beside the result: the source's and the caller's serving
 * options, without what only the compiler needed. */
export function compiledProperties(
  source: Properties,
  settings: CompilationSettings,
): { readonly properties: string; readonly notes: readonly string[] } {
  const properties = new Map(source);
  for (const [key, value] of settings.serving) properties.set(OPTION_PREFIX + key, value);
  const own = COMPILATION_SETTINGS.map(({ key }) => key).filter(
    (key) => !SERVING_OPTIONS.includes(key),
  );
  for (const key of own) properties.delete(OPTION_PREFIX + key);
  const removed = OUTDATED.filter((key) => properties.delete(OPTION_PREFIX + key));
  return {
    properties: formatProperties(properties),
    notes: removed.map(
      (key) =>
        `${OPTION_PREFIX}${key} was left out of serving.properties: it describes the model before this step.`,
    ),
  };
}
