import { CheckpointError } from '../../errors.js';
import { CONFIG_FILE, type HfConfig } from '../../hf-config.js';
import type { JsonObject } from '../../json.js';
import { findArchitecture, isTied } from '../find-architecture.js';
import { ConfigReader } from './config-reader.js';
import type { ForwardArchitecture } from './forward-architecture.js';
import type { ForwardBlock, ForwardModel } from './forward-model.js';
import { required, type Tensors, WEIGHT } from './module-tensors.js';
import { readAttention } from './read-attention.js';
import { readExperts, readGated } from './read-feed-forward.js';
import { FORWARD_ARCHITECTURES, FORWARD_NAMES } from './table.js';

/** Blocks in the largest published models are a tenth of this. */
const MAX_BLOCKS = 2000;

/** Describes the forward pass of a checkpoint, which must be an unquantized one.
 * @throws CheckpointError if its architecture is not in the table, or if configuration and tensors do
 * not fit it; the message begins with what is missing. */
export function readForwardModel(config: HfConfig, tensors: Tensors): ForwardModel {
  const architecture = findArchitecture(config);
  const forward = FORWARD_ARCHITECTURES.find(({ name }) => name === architecture?.name);
  if (architecture === undefined || forward === undefined) {
    throw new CheckpointError(
      `the forward pass of models of the type ${config.modelType} is not known; known are ${FORWARD_NAMES.join(', ')}`,
      { file: CONFIG_FILE },
    );
  }
  const reader = new ConfigReader({ ...forward.defaults, ...present(config.languageModel) });
  const root = findRoot(tensors, architecture.blocks);
  const embedding = required(tensors, `${root}.embed_tokens`);
  const [vocabulary = 0, hiddenSize = 0] = embedding.shape;
  if (hiddenSize !== reader.count('hidden_size')) {
    throw new CheckpointError(`has ${hiddenSize} columns, not hidden_size`, {
      file: embedding.file,
      tensor: embedding.name,
    });
  }
  const count = reader.count('num_hidden_layers', MAX_BLOCKS);
  const blocks = Array.from({ length: count }, (_, index) =>
    readBlock(forward, reader, tensors, `${root}.${architecture.blocks}.${index}`, index),
  );
  return {
    architecture: forward.name,
    hiddenSize,
    vocabulary,
    maxPositions: reader.count('max_position_embeddings'),
    norms: { epsilon: reader.number('rms_norm_eps'), addOne: forward.norms.addOne },
    embedding: {
      module: `${root}.embed_tokens`,
      scale: forward.scalesEmbedding ? Math.sqrt(hiddenSize) : 1,
    },
    blocks,
    finalNorm: `${root}.norm`,
    head: {
      module: headModule(config, tensors, root, isTied(config, architecture)),
      softcap: reader.optional('final_logit_softcapping'),
    },
  };
}

/** Nulls stand for values left out. */
function present(config: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null));
}

/** `model` where blocks are `model.layers.0` and so on. */
function findRoot(tensors: Tensors, blocks: string): string {
  const ending = `.${blocks}.0.input_layernorm${WEIGHT}`;
  const roots = [...tensors.keys()].flatMap((name) => {
    const root = name.endsWith(ending) ? name.slice(0, -ending.length) : undefined;
    return root !== undefined && tensors.has(`${root}.embed_tokens${WEIGHT}`) ? [root] : [];
  });
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    throw new CheckpointError(
      `there is ${roots.length === 0 ? 'no' : 'more than one'} list of blocks with names that end in ${ending}, beside an embedding`,
    );
  }
  return root;
}

function headModule(config: HfConfig, tensors: Tensors, root: string, tied: boolean): string {
  const embedding = `${root}.embed_tokens`;
  if (tied) return embedding;
  const candidates = ['lm_head', `${root.replace(/\.?model$/, '')}.lm_head`];
  const found = candidates.find((module) => tensors.has(module + WEIGHT));
  if (found !== undefined) return found;
  if (config.tieWordEmbeddings === undefined) return embedding;
  throw new CheckpointError(
    'there is no tensor lm_head.weight, and tie_word_embeddings is false in config.json',
  );
}

function readBlock(
  forward: ForwardArchitecture,
  reader: ConfigReader,
  tensors: Tensors,
  name: string,
  index: number,
): ForwardBlock {
  const { norms, experts } = forward;
  const inBlock = (member: string): string => `${name}.${member}`;
  const stageNorms = (before: string, after: string | undefined) => ({
    before: inBlock(before),
    after: after === undefined ? undefined : inBlock(after),
  });
  const feedForwardNorms = stageNorms(norms.beforeFeedForward, norms.afterFeedForward);
  const feedForward =
    experts !== undefined && tensors.has(inBlock(experts.router) + WEIGHT)
      ? readExperts(experts, reader, tensors, name)
      : readGated(forward.feedForward, reader, tensors, name);
  return {
    name,
    attention: {
      ...readAttention(forward, reader, tensors, name, index),
      norms: stageNorms(norms.beforeAttention, norms.afterAttention),
    },
    feedForward: { ...feedForward, norms: feedForwardNorms },
  };
}
