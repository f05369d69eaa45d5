import { CheckpointError } from '../../errors.js';
import { CONFIG_FILE, type HfConfig } from '../../hf-config.js';
import type { JsonObject } from '../../json.js';
import type { TensorInfo } from '../../safetensors/reader.js';
import { EXPERT } from '../architecture.js';
import { findArchitecture, isTied } from '../find-architecture.js';
import { ConfigReader } from './config-reader.js';
import type {
  AttentionOutput,
  ExpertsLayout,
  ForwardArchitecture,
  GatedLayout,
  Projection,
  WindowRule,
} from './forward-architecture.js';
import type {
  Activation,
  AttentionStage,
  ExpertsStage,
  FeedForwardStage,
  ForwardBlock,
  ForwardModel,
  GatedNetwork,
  InputProjection,
} from './forward-model.js';
import { readRotary } from './read-rotary.js';
import { FORWARD_ARCHITECTURES, FORWARD_NAMES } from './table.js';

/** Blocks in the largest published models are a tenth of this. */
const MAX_BLOCKS = 2000;

/** Experts in the largest published models are a tenth of this. */
const MAX_EXPERTS = 8192;

const WEIGHT = '.weight';

const ACTIVATION_NAMES: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
  relu: 'relu',
};

type Tensors = ReadonlyMap<string, TensorInfo>;

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

function required(tensors: Tensors, module: string): TensorInfo {
  const found = tensors.get(module + WEIGHT);
  if (found === undefined) {
    throw new CheckpointError(
      `there is no tensor ${module}${WEIGHT}, which models of this type have`,
    );
  }
  return found;
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

function readAttention(
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

function readProjection<Output extends string>(
  { module, outputs }: Projection<Output>,
  sizes: Readonly<Record<Output, number>>,
  columns: number,
  tensors: Tensors,
  parent: string,
): InputProjection<Output> {
  const named = outputs.map((name) => ({ name, size: sizes[name] }));
  const rows = named.reduce((sum, { size }) => sum + size, 0);
  return { module: checkShape(tensors, `${parent}.${module}`, rows, columns), outputs: named };
}

function checkShape(tensors: Tensors, module: string, rows: number, columns: number): string {
  const { shape, file, name } = required(tensors, module);
  if (shape.length !== 2 || shape[0] !== rows || shape[1] !== columns) {
    throw new CheckpointError(
      `has the shape [${shape.join(', ')}], but config.json makes it [${rows}, ${columns}]`,
      { file, tensor: name },
    );
  }
  return module;
}

/** The width comes from the tensors: experts have another than plain networks, under names of
 * configuration that differ. */
function readGatedNetwork(
  layout: GatedLayout,
  reader: ConfigReader,
  tensors: Tensors,
  parent: string,
): GatedNetwork {
  const hiddenSize = reader.count('hidden_size');
  const output = `${parent}.${layout.output}`;
  const width = required(tensors, output).shape[1] ?? 0;
  const name = reader.text('hidden_activation', 'hidden_act');
  const activation = Object.hasOwn(ACTIVATION_NAMES, name) ? ACTIVATION_NAMES[name] : undefined;
  if (activation === undefined) {
    throw new CheckpointError(
      `has the activation ${name}; known are ${Object.keys(ACTIVATION_NAMES).join(', ')}`,
      { file: CONFIG_FILE },
    );
  }
  return {
    inputs: layout.inputs.map((projection) =>
      readProjection(projection, { gate: width, up: width }, hiddenSize, tensors, parent),
    ),
    output: checkShape(tensors, output, hiddenSize, width),
    activation,
  };
}

function readGated(
  layout: GatedLayout,
  reader: ConfigReader,
  tensors: Tensors,
  name: string,
): Omit<FeedForwardStage, 'norms'> {
  return { kind: 'feed-forward', ...readGatedNetwork(layout, reader, tensors, name) };
}

function readExperts(
  layout: ExpertsLayout,
  reader: ConfigReader,
  tensors: Tensors,
  name: string,
): Omit<ExpertsStage, 'norms'> {
  const [count = 0] = required(tensors, `${name}.${layout.router}`).shape;
  const hiddenSize = reader.count('hidden_size');
  const chosen = reader.count(layout.chosenKey);
  if (chosen > count || count > MAX_EXPERTS) {
    throw new CheckpointError(`chooses ${chosen} of ${count} experts in ${name}`, {
      file: CONFIG_FILE,
    });
  }
  const { normalized, shared } = layout;
  return {
    kind: 'experts',
    router: checkShape(tensors, `${name}.${layout.router}`, count, hiddenSize),
    experts: Array.from({ length: count }, (_, index) =>
      readGatedNetwork(
        layout,
        reader,
        tensors,
        `${name}.${layout.expert.replace(EXPERT, String(index))}`,
      ),
    ),
    chosen,
    normalized: normalized === true || reader.flag(normalized.key),
    shared:
      shared === undefined
        ? undefined
        : {
            network: readGatedNetwork(layout, reader, tensors, `${name}.${shared.prefix}`),
            gate: checkShape(tensors, `${name}.${shared.gate}`, 1, hiddenSize),
          },
  };
}
