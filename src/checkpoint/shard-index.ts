import { CheckpointError } from './errors.js';
import { plainFileName } from './folder.js';
import { isJsonObject, type JsonObject, type JsonValue, readJsonFile } from './json.js';

export const INDEX_FILE = 'model.safetensors.index.json';

/** Which file holds which tensor of a checkpoint in several files. */
export interface ShardIndex {
  /** The index's own metadata, with whatever its writer put there. */
  readonly metadata: JsonObject;
  /** Tensor name to file name. */
  readonly files: ReadonlyMap<string, string>;
}

/** Reads a shard index.
 * @throws CheckpointError if it is not one, or names something other than a `.safetensors` file right
 * in the folder. */
export async function readShardIndex(path: string): Promise<ShardIndex> {
  const { value } = await readJsonFile(path, { uniqueKeys: true });
  return interpretShardIndex(value);
}

/** @throws CheckpointError as {@link readShardIndex}. */
function interpretShardIndex(value: JsonValue): ShardIndex {
  const map = isJsonObject(value) ? value.weight_map : undefined;
  if (!isJsonObject(value) || !isJsonObject(map)) {
    throw new CheckpointError('has no weight_map', { file: INDEX_FILE });
  }
  const files = new Map<string, string>();
  for (const [tensor, name] of Object.entries(map)) {
    if (typeof name !== 'string' || !name.endsWith('.safetensors')) {
      throw new CheckpointError('is not mapped to a .safetensors file', {
        file: INDEX_FILE,
        tensor,
      });
    }
    files.set(tensor, plainFileName(name, INDEX_FILE, tensor));
  }
  if (files.size === 0) throw new CheckpointError('names no tensor', { file: INDEX_FILE });
  const metadata = value.metadata;
  return { metadata: isJsonObject(metadata) ? metadata : {}, files };
}

/** The text of an index. `total_size` is the bytes of all tensors; the other metadata is kept.
 * @param files tensor name to file name. */
export function formatShardIndex(
  metadata: JsonObject,
  totalSize: number,
  files: ReadonlyMap<string, string>,
): string {
  const names = [...files.keys()].sort();
  // Joined by hand: an object would move keys that look like numbers to the front.
  const entries = names.map(
    (name) => `    ${JSON.stringify(name)}: ${JSON.stringify(files.get(name))}`,
  );
  const kept = JSON.stringify({ ...metadata, total_size: totalSize }, null, 2);
  return `{\n  "metadata": ${kept.replaceAll('\n', '\n  ')},\n  "weight_map": {\n${entries.join(',\n')}\n  }\n}\n`;
}
