import { CheckpointError, quoted } from './errors.js';
import { type FolderFile, listFolder, realFolder } from './folder.js';
import { CONFIG_FILE, type HfConfig, readHfConfig } from './hf-config.js';
import { readSafetensors, type SafetensorsFile, type TensorInfo } from './safetensors/reader.js';
import { INDEX_FILE, readShardIndex, type ShardIndex } from './shard-index.js';

const SINGLE_FILE = 'model.safetensors';

/** A Hugging Face checkpoint of which only the headers and the configuration were read. */
export interface Checkpoint {
  /** Its folder, with links followed. */
  readonly folder: string;
  readonly config: HfConfig;
  /** The weight files, in the order of their names. */
  readonly shards: readonly SafetensorsFile[];
  /** Undefined where all weights are in one file without an index. */
  readonly index: ShardIndex | undefined;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Every file of the folder, the weights among them. */
  readonly files: readonly FolderFile[];
  /** What a reader should know about how the checkpoint was understood. */
  readonly notes: readonly string[];
}

/** Other forms of weights, which carry executable pickles or belong to other software. */
const OTHER_WEIGHTS = /\.(bin|pt|pth|ckpt|h5|msgpack|gguf|onnx|pkl|pickle)$/;

/** Opens a checkpoint: lists its folder, reads its configuration and the headers of its weights, and
 * checks that they agree. No weight is read.
 * @throws CheckpointError naming the file and the tensor. */
export async function openCheckpoint(folder: string, signal?: AbortSignal): Promise<Checkpoint> {
  const root = await realFolder(folder);
  const files = await listFolder(root);
  const byName = new Map(files.map((file) => [file.name, file]));
  const configFile = byName.get(CONFIG_FILE);
  if (configFile === undefined) {
    throw new CheckpointError(
      `there is no ${CONFIG_FILE} in the model folder: is it a Hugging Face checkpoint?`,
    );
  }
  const config = await readHfConfig(configFile.path);
  requireStandardNames(config);
  const indexFile = byName.get(INDEX_FILE);
  const index = indexFile === undefined ? undefined : await readShardIndex(indexFile.path);
  const shards: SafetensorsFile[] = [];
  for (const name of weightFiles(byName, index)) {
    signal?.throwIfAborted();
    const file = byName.get(name);
    if (file === undefined) {
      throw new CheckpointError(`names ${name}, which is not there`, { file: INDEX_FILE });
    }
    shards.push(await readSafetensors(file.path, name));
  }
  const tensors = collectTensors(shards);
  return {
    folder: root,
    config,
    shards,
    index,
    tensors,
    files,
    notes: [
      ...(index === undefined ? [] : compareWithIndex(index, tensors)),
      ...foreignWeights(files, new Set(shards.map((shard) => shard.file))),
    ],
  };
}

/** A configuration can name another file as the weights; reading the usual one would then be reading
 * another model than Transformers does. */
function requireStandardNames({ values }: HfConfig): void {
  const named = values.transformers_weights;
  if (typeof named !== 'string' || named === SINGLE_FILE || named === INDEX_FILE) return;
  throw new CheckpointError(
    `names ${quoted(named)} as transformers_weights; only ${SINGLE_FILE} and ${INDEX_FILE} are read`,
    { file: CONFIG_FILE },
  );
}

function weightFiles(
  byName: ReadonlyMap<string, FolderFile>,
  index: ShardIndex | undefined,
): readonly string[] {
  if (index !== undefined) {
    const named = [...new Set(index.files.values())].sort();
    if (byName.has(SINGLE_FILE) && !named.includes(SINGLE_FILE)) {
      throw new CheckpointError(
        `is there beside ${INDEX_FILE}, which names other files: loaders disagree on which of the two is the model. Remove one`,
        { file: SINGLE_FILE },
      );
    }
    return named;
  }
  if (byName.has(SINGLE_FILE)) return [SINGLE_FILE];
  const names = [...byName.keys()];
  if (names.some((name) => name.endsWith('.safetensors'))) {
    throw new CheckpointError(
      `there is neither ${SINGLE_FILE} nor ${INDEX_FILE} in the model folder, only other .safetensors files`,
    );
  }
  const other = names.find((name) => OTHER_WEIGHTS.test(name));
  throw new CheckpointError(
    other === undefined
      ? `there are no weights in the model folder: neither ${SINGLE_FILE} nor ${INDEX_FILE}`
      : `the weights are in ${other}, and only safetensors are read: other forms can run code when they are opened. Convert the checkpoint to safetensors`,
  );
}

function collectTensors(shards: readonly SafetensorsFile[]): ReadonlyMap<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>();
  for (const shard of shards) {
    for (const tensor of shard.tensors) {
      const other = tensors.get(tensor.name);
      if (other !== undefined) {
        throw new CheckpointError(`is also in ${other.file}`, {
          file: tensor.file,
          tensor: tensor.name,
        });
      }
      tensors.set(tensor.name, tensor);
    }
  }
  if (tensors.size === 0) throw new CheckpointError('the checkpoint has no tensors');
  return tensors;
}

/** The index must not promise what is not there. What it leaves out is still part of the model:
 * Transformers loads every tensor of every file that the index names. */
function compareWithIndex(
  index: ShardIndex,
  tensors: ReadonlyMap<string, TensorInfo>,
): readonly string[] {
  for (const [name, file] of index.files) {
    const found = tensors.get(name);
    if (found === undefined || found.file !== file) {
      throw new CheckpointError(
        found === undefined
          ? `is not in ${file}, where the index puts it`
          : `is in ${found.file}, but the index puts it in ${file}`,
        { file: INDEX_FILE, tensor: name },
      );
    }
  }
  const unlisted = [...tensors.keys()].filter((name) => !index.files.has(name));
  const [first] = unlisted;
  if (first === undefined) return [];
  return [
    `${unlisted.length} tensors, the first being ${first}, are in the weight files but not in ${INDEX_FILE}; loaders take them, so they were treated as part of the model and the new index lists them.`,
  ];
}

function foreignWeights(
  files: readonly FolderFile[],
  shards: ReadonlySet<string>,
): readonly string[] {
  return files
    .filter(
      ({ name }) =>
        !shards.has(name) && (name.endsWith('.safetensors') || OTHER_WEIGHTS.test(name)),
    )
    .map(({ name }) => `${name} is not part of the checkpoint and was carried along as it is.`);
}
