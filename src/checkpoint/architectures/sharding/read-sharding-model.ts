import { CheckpointError } from '../../errors.js';
import { CONFIG_FILE, type HfConfig } from '../../hf-config.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json.js';
import type { TensorInfo } from '../../safetensors/reader.js';
import { type Architecture, EXPERT } from '../architecture.js';
import { findArchitecture, isTied } from '../find-architecture.js';
import { ConfigReader } from '../forward/config-reader.js';
import { FORWARD_ARCHITECTURES } from '../forward/table.js';
import { foreignPart } from '../modules.js';
import { type BlockModules, describeModules } from './describe-modules.js';
import type { ModuleDivision } from './module-division.js';
import type { ModulePlace, ModuleTensor, ShardingModel, StorageMethod } from './sharding-model.js';
import { storedAxes } from './stored-axes.js';
import { SHARDING_ARCHITECTURES } from './table.js';

/** Blocks in the largest published models are a tenth of this. */
const MAX_BLOCKS = 2000;

/** Experts in the largest published models are a tenth of this. */
const MAX_EXPERTS = 8192;

const WHOLE: ModuleDivision = { kind: 'whole' };

/** Reads how a checkpoint can be divided: which module each tensor belongs to, and how that is divided.
 * No weight is read.
 * @throws CheckpointError for an architecture or a storage that is not known, and for tensors that a
 * model of this kind lacks or does not have. */
export function readShardingModel(
  config: HfConfig,
  tensors: ReadonlyMap<string, TensorInfo>,
): ShardingModel {
  const architecture = findArchitecture(config);
  const forward = FORWARD_ARCHITECTURES.find(({ name }) => name === architecture?.name);
  const sharding = SHARDING_ARCHITECTURES.find(({ name }) => name === architecture?.name);
  if (architecture === undefined || forward === undefined || sharding === undefined) {
    const known = SHARDING_ARCHITECTURES.map(({ name }) => name).join(', ');
    throw new CheckpointError(
      `how to divide models of the type ${config.modelType} is not known; known are ${known}`,
      { file: CONFIG_FILE },
    );
  }
  const storage = readStorage(config);
  const present = Object.entries(config.languageModel).filter(([, value]) => value !== null);
  const reader = new ConfigReader({ ...forward.defaults, ...Object.fromEntries(present) });
  const blocks = reader.count('num_hidden_layers', MAX_BLOCKS);
  const modules = describeModules(forward, sharding, reader);
  const root = findRoot(tensors, architecture.blocks);
  const list = architecture.blocks;
  const experts = countExperts(tensors, `${root}.${list}.`, modules.router);
  const naming = { root, list, blocks, experts };
  const embedding = tensors.get(`${root}.embed_tokens.weight`);
  const [tokens = 0, hidden = 0] = embedding?.shape ?? [];
  const vocabulary: ModuleDivision = { kind: 'vocabulary', tokens, inputs: hidden };
  const head = findHead(tensors, root);
  const tied = readTied(config, architecture, head !== undefined);

  const divided: ModuleTensor[] = [];
  const leftOut: ShardingModel['leftOut'][number][] = [];
  for (const tensor of tensors.values()) {
    const at = locate(tensor, naming, modules, vocabulary);
    if (at === undefined) {
      leftOut.push({ tensor, reason: 'engines compute it themselves' });
    } else if (tied && at.member === 'lm_head') {
      leftOut.push({ tensor, reason: 'the output layer shares the input embedding’s weight' });
    } else {
      checkKnown(at, storage.method);
      divided.push(at);
    }
  }
  const found = new Set(divided.map(({ module }) => module));
  checkComplete(found, naming, modules);
  return {
    architecture: architecture.name,
    ...storage,
    ...naming,
    multimodal:
      config.multimodal || divided.some(({ module }) => foreignPart(module) !== undefined),
    tied,
    tensors: divided,
    leftOut,
  };
}

function readStorage(config: HfConfig): Pick<ShardingModel, 'method' | 'scatteredGroups'> {
  const [found] = [config.values, config.languageModel]
    .flatMap((part) => [part.quantization_config, part.compression_config])
    .filter(isJsonObject);
  if (found === undefined) return { method: 'plain', scatteredGroups: false };
  const name = found.quant_method;
  const known: readonly StorageMethod[] = ['awq', 'gptq', 'compressed-tensors'];
  const method = known.find((candidate) => candidate === name);
  if (method === undefined) {
    throw new CheckpointError(
      `is quantized by ${JSON.stringify(name) ?? 'an unnamed method'}; sharding knows ${known.join(', ')} and unquantized models`,
      { file: CONFIG_FILE },
    );
  }
  return { method, scatteredGroups: hasScatteredGroups(method, found) };
}

/** With GPTQ's activation order, a group's inputs lie anywhere in the layer. The orders `weight` and
 * `static` put them back in place. */
function hasScatteredGroups(method: StorageMethod, quantization: JsonObject): boolean {
  if (method === 'gptq') return quantization.desc_act === true;
  const groups = quantization.config_groups;
  if (method !== 'compressed-tensors' || !isJsonObject(groups)) return false;
  return Object.values(groups).some((group) => {
    const weights: JsonValue | undefined = isJsonObject(group) ? group.weights : undefined;
    const order = isJsonObject(weights) ? weights.actorder : undefined;
    return order === 'group' || order === 'dynamic' || order === true;
  });
}

/** `model` where blocks are `model.layers.0` and so on. */
function findRoot(tensors: ReadonlyMap<string, TensorInfo>, list: string): string {
  const ending = `.${list}.0.input_layernorm.weight`;
  const roots = [...tensors.keys()].flatMap((name) => {
    const root = name.endsWith(ending) ? name.slice(0, -ending.length) : undefined;
    return root !== undefined && tensors.has(`${root}.embed_tokens.weight`) ? [root] : [];
  });
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    throw new CheckpointError(
      `there is ${root === undefined ? 'no' : 'more than one'} list of blocks with names that end in ${ending}, beside an embedding`,
    );
  }
  return root;
}

function findHead(tensors: ReadonlyMap<string, TensorInfo>, root: string): TensorInfo | undefined {
  return [...tensors.values()].find(({ name }) => isHead(name, root));
}

/** Experts of each block that has any; 0 where none has. A router has an output for each.
 * @throws CheckpointError where blocks have unequally many. */
function countExperts(
  tensors: ReadonlyMap<string, TensorInfo>,
  blocks: string,
  router: string | undefined,
): number {
  if (router === undefined) return 0;
  let experts = 0;
  for (const { name, shape, file } of tensors.values()) {
    if (!name.startsWith(blocks) || !name.endsWith(`.${router}.weight`)) continue;
    const [count = 0] = shape;
    if (count < 1 || count > MAX_EXPERTS || (experts !== 0 && count !== experts)) {
      throw new CheckpointError(
        `chooses among ${count} experts${experts === 0 ? '' : `, but others among ${experts}`}; from 1 to ${MAX_EXPERTS}, and equally many everywhere, is what can be divided`,
        { file, tensor: name },
      );
    }
    experts = count;
  }
  return experts;
}

/** `lm_head` beside the model's root, or in front of all of it. */
function isHead(name: string, root: string): boolean {
  const module = name.slice(0, name.lastIndexOf('.'));
  return module === 'lm_head' || module === `${root.replace(/\.?model$/, '')}.lm_head`;
}

function readTied(config: HfConfig, architecture: Architecture, hasHead: boolean): boolean {
  const tied = isTied(config, architecture);
  if (!tied && !hasHead) {
    throw new CheckpointError(
      'there is no tensor lm_head.weight, and config.json does not say that the output layer shares the embedding’s weight; set tie_word_embeddings to true if it does',
    );
  }
  return tied;
}

interface Naming {
  readonly root: string;
  readonly list: string;
  readonly blocks: number;
  readonly experts: number;
}

/** What a tensor belongs to; undefined for tables that engines compute.
 * @throws CheckpointError for one that this kind of model does not have. */
function locate(
  tensor: TensorInfo,
  naming: Naming,
  modules: BlockModules,
  vocabulary: ModuleDivision,
): ModuleTensor | undefined {
  const dot = tensor.name.lastIndexOf('.');
  const module = tensor.name.slice(0, Math.max(dot, 0));
  const suffix = tensor.name.slice(dot + 1);
  const { root, list, blocks } = naming;
  const as = (
    member: string,
    place: ModulePlace,
    division: ModuleDivision,
    expert?: number,
  ): ModuleTensor => ({ tensor, module, suffix, division, place, member, expert });
  if (foreignPart(module) !== undefined) return as(module, 'first', WHOLE);
  if (isHead(tensor.name, root)) return as('lm_head', 'last', vocabulary);
  if (module === `${root}.embed_tokens`) return as('embed_tokens', 'first', vocabulary);
  if (module === `${root}.norm`) return as('norm', 'last', WHOLE);
  if (suffix === 'inv_freq') return undefined;
  const inBlock = /^(\d{1,9})\.(.+)$/.exec(
    module.startsWith(`${root}.${list}.`) ? module.slice(root.length + list.length + 2) : '',
  );
  const block = Number(inBlock?.[1] ?? Number.NaN);
  const numbered = inBlock?.[2] ?? '';
  const expert = /\.experts\.(\d{1,9})\./.exec(`.${numbered}.`)?.[1];
  const member = numbered.replace(/(^|\.)experts\.\d{1,9}(?=\.|$)/, `$1experts.${EXPERT}`);
  const division = modules.divisions.get(member) ?? scaleOfAttention(member, suffix);
  const unknown = division === undefined || !(block < blocks) || Number(expert) >= naming.experts;
  if (division === undefined || unknown) {
    throw new CheckpointError('is not part of a model of this kind, so no rank could take it', {
      file: tensor.file,
      tensor: tensor.name,
    });
  }
  return as(member, { block }, division, expert === undefined ? undefined : Number(expert));
}

/** Scales of the key/value cache stand beside the projections. */
function scaleOfAttention(member: string, suffix: string): ModuleDivision | undefined {
  return /(^|\.)self_attn(\.attn)?$/.test(member) && /^[kqv]_scale$/.test(suffix)
    ? WHOLE
    : undefined;
}

function checkKnown({ tensor, module, suffix }: ModuleTensor, method: StorageMethod): void {
  if (foreignPart(module) !== undefined) return;
  if (storedAxes(method, suffix) === undefined) {
    throw new CheckpointError(
      `ends in ${suffix}, which ${method === 'plain' ? 'an unquantized model' : `a checkpoint of ${method}`} does not have`,
      { file: tensor.file, tensor: tensor.name },
    );
  }
}

/** Engines wait for every weight of the model. */
function checkComplete(
  found: ReadonlySet<string>,
  { root, list, blocks, experts }: Naming,
  { everywhere, plain, mixture, router }: BlockModules,
): void {
  const require = (module: string): void => {
    if (!found.has(module)) {
      throw new CheckpointError(`there is no tensor of ${module}, which models of this kind have`);
    }
  };
  require(`${root}.norm`);
  for (let block = 0; block < blocks; block += 1) {
    const name = `${root}.${list}.${block}`;
    const mixed = router !== undefined && found.has(`${name}.${router}`);
    for (const member of [...everywhere, ...(mixed ? mixture : plain)]) {
      if (!member.includes(EXPERT)) require(`${name}.${member}`);
      else {
        for (let expert = 0; expert < experts; expert += 1) {
          require(`${name}.${member.replace(EXPERT, String(expert))}`);
        }
      }
    }
  }
}
