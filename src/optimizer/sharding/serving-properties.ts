import type { ShardLayout } from '../report/sharding-types.js';
import { OPTION_PREFIX, type Properties } from '../settings/properties.js';
import { SHARDING_KEYS, type ShardingSettings } from '../settings/sharding-settings.js';

/** Would send whoever serves the result back to the model it was made from. */
const MODEL_ID = `${OPTION_PREFIX}model_id`;

const LOAD_FORMAT = `${OPTION_PREFIX}load_format`;

/** The properties that are written beside the result: the source's and the caller's serving options, with
 * the degrees that it was divided for and the format that loads it. */
export function shardedProperties(
  source: Properties,
  settings: ShardingSettings,
  layout: ShardLayout,
): { readonly properties: Properties; readonly notes: readonly string[] } {
  const properties = new Map(source);
  for (const [key, value] of settings.serving) properties.set(OPTION_PREFIX + key, value);
  properties.delete(OPTION_PREFIX + SHARDING_KEYS.layout);
  const hadModelId = properties.delete(MODEL_ID);
  const set = (key: string, value: string | undefined): void => {
    if (value === undefined) properties.delete(OPTION_PREFIX + key);
    else properties.set(OPTION_PREFIX + key, value);
  };
  const { tensorParallel, pipelineParallel, expertParallel } = settings;
  set(SHARDING_KEYS.tensorParallel, String(tensorParallel));
  set(SHARDING_KEYS.pipelineParallel, pipelineParallel > 1 ? String(pipelineParallel) : undefined);
  set(SHARDING_KEYS.expertParallel, expertParallel ? 'true' : undefined);
  // No load format of the containers reads the chunked layout.
  if (layout === 'sharded-state') properties.set(LOAD_FORMAT, 'sharded_state');
  else properties.delete(LOAD_FORMAT);
  return {
    properties,
    notes: hadModelId
      ? [
          `${MODEL_ID} was left out of the result’s properties: it names the model before this step.`,
        ]
      : [],
  };
}
