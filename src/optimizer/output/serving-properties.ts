import { findSetting } from '../settings/definitions.js';
import { OPTION_PREFIX, type Properties } from '../settings/properties.js';
import type { QuantizationSettings } from '../settings/quantization-settings.js';

/** Would send whoever serves the result back to the model it was made from. */
const MODEL_ID = `${OPTION_PREFIX}model_id`;

/** The properties that are written beside the result: the source's, the caller's serving options over
 * them, without what only the optimizer needed.
 * @param method what serving engines call the result's format. */
export function resultProperties(
  source: Properties,
  settings: QuantizationSettings,
  method: string,
): { readonly properties: Properties; readonly notes: readonly string[] } {
  const properties = new Map(
    [...source].filter(
      ([key]) =>
        !key.startsWith(OPTION_PREFIX) ||
        findSetting(key.slice(OPTION_PREFIX.length)) === undefined,
    ),
  );
  for (const [key, value] of settings.serving) properties.set(`${OPTION_PREFIX}${key}`, value);
  const hadModelId = properties.delete(MODEL_ID);
  properties.set(`${OPTION_PREFIX}quantize`, method);
  return {
    properties,
    notes: hadModelId
      ? [`${MODEL_ID} was left out of serving.properties: it names the model before this step.`]
      : [],
  };
}
