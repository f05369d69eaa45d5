import { CheckpointError, quoted } from '../../errors.js';
import { CONFIG_FILE } from '../../hf-config.js';
import { isJsonObject, type JsonObject } from '../../json.js';
import { ConfigReader } from './config-reader.js';
import { ROTARY_KINDS, type Rotary, type RotaryKind } from './forward-model.js';

/** Older names of kinds. */
const ALIASES: Readonly<Record<string, RotaryKind>> = { su: 'longrope' };

/** Reads the rotary embedding of one block: from `rope_parameters`, which may hold one set for each kind
 * of attention, or from the older `rope_theta`, `rope_local_base_freq` and `rope_scaling`.
 * @param sliding whether the block attends to a window only.
 * @throws CheckpointError for kinds that are not known. */
export function readRotary(reader: ConfigReader, headSize: number, sliding: boolean): Rotary {
  const parameters = rotaryParameters(reader, sliding);
  const own = new ConfigReader({ ...parameters });
  const name = own.value('rope_type') ?? own.value('type') ?? 'default';
  const kind =
    ROTARY_KINDS.find((known) => known === name) ??
    (typeof name === 'string' && Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined);
  if (kind === undefined) {
    throw new CheckpointError(
      `has a rotary embedding of the kind ${quoted(String(name))}; known are ${ROTARY_KINDS.join(', ')}`,
      { file: CONFIG_FILE },
    );
  }
  const share =
    own.optional('partial_rotary_factor') ?? reader.optional('partial_rotary_factor') ?? 1;
  const maxPositions = reader.count('max_position_embeddings');
  return {
    kind,
    theta: own.optional('rope_theta') ?? reader.number('rope_theta'),
    dimensions: Math.floor(headSize * share),
    parameters,
    maxPositions,
    originalMaxPositions:
      own.optionalCount('original_max_position_embeddings') ??
      reader.optionalCount('original_max_position_embeddings') ??
      maxPositions,
  };
}

function rotaryParameters(reader: ConfigReader, sliding: boolean): JsonObject {
  const local = reader.optional('rope_local_base_freq');
  const parameters = reader.value('rope_parameters');
  if (isJsonObject(parameters)) {
    const attention = sliding ? 'sliding_attention' : 'full_attention';
    const ofKind = parameters[attention];
    if (isJsonObject(ofKind)) {
      return sliding && local !== undefined ? { rope_theta: local, ...ofKind } : ofKind;
    }
    return parameters;
  }
  if (sliding && local !== undefined) return { rope_theta: local };
  const scaling = reader.value('rope_scaling');
  return isJsonObject(scaling) ? scaling : {};
}
