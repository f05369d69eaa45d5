import { CheckpointError } from '../../errors.js';
import { CONFIG_FILE } from '../../hf-config.js';
import type { ConfigReader } from './config-reader.js';
import type { AttentionOutput, ForwardArchitecture, WindowRule } from './forward-architecture.js';
import type { AttentionStage } from './forward-model.js';
import { checkShape, readProjection, type Tensors } from './module-tensors.js';
import { readRotary } from './read-rotary.js';

/** Describes the attention of one block.
 * @param name of the block, for example `model.layers.0`
 * @throws CheckpointError if configuration and tensors do not fit. */
export function readAttention(
  forward: ForwardArchitecture,
  reader: ConfigReader,
  tensors: Tensors,
  name: string,
  index: number,
): Omit<AttentionStage, 'norms'> {
  const heads = reader.count('num_attention_heads');
  const keyValueHeads = reader.optionalCount('num_key_value_heads') ?? heads;
  const hiddenSize = reader.count('hidden_size');
  const headSize = reader.optionalCount('head_dim') ?? hiddenSize / heads;
  if (heads % keyValueHeads !== 0 || !Number.isInteger(headSize)) {
    throw new CheckpointError(
      `num_attention_heads ${heads} fits neither num_key_value_heads ${keyValueHeads} nor hidden_size ${hiddenSize}`,
      { file: CONFIG_FILE },
    );
  }
  const sizes: Readonly<Record<AttentionOutput, number>> = {
    query: heads * headSize,
    key: keyValueHeads * headSize,
    value: keyValueHeads * headSize,
  };
  const { inputs, output, headNorms } = forward.attention;
  const sliding = isSliding(reader, forward.window, index);
  const queryScale = reader.optional('query_pre_attn_scalar') ?? headSize;
  return {
    kind: 'attention',
    inputs: inputs.map((projection) =>
      readProjection(projection, sizes, hiddenSize, tensors, name),
    ),
    output: checkShape(tensors, `${name}.${output}`, hiddenSize, heads * headSize),
    headNorms:
      headNorms === undefined
        ? undefined
        : { query: `${name}.${headNorms.query}`, key: `${name}.${headNorms.key}` },
    heads,
    keyValueHeads,
    headSize,
    scale: queryScale ** -0.5,
    softcap: reader.optional('attn_logit_softcapping'),
    window: sliding ? reader.optionalCount('sliding_window') : undefined,
    rotary: readRotary(reader, headSize, sliding),
  };
}

function isSliding(reader: ConfigReader, rule: WindowRule, index: number): boolean {
  const types = reader.value('layer_types');
  if (Array.isArray(types)) return types[index] === 'sliding_attention';
  if ('enabledBy' in rule && rule.enabledBy !== undefined && !reader.flag(rule.enabledBy)) {
    return false;
  }
  switch (rule.kind) {
    case 'none':
      return false;
    case 'every':
      return true;
    case 'from':
      return index >= reader.number(rule.key);
    case 'alternating':
      return index % 2 === 0 && (rule.before === undefined || index < reader.number(rule.before));
    case 'all-but-every': {
      const key = rule.keys.find((name) => reader.value(name) !== undefined);
      return key !== undefined && (index + 1) % reader.count(key) !== 0;
    }
  }
}
