import { CheckpointError } from '../errors.js';
import { plainFileName } from '../folder.js';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../json.js';
import { type Dtype, isDtype, tensorBytes } from '../safetensors/dtypes.js';
import {
  type ChunkedRank,
  type ChunkedTensor,
  type ChunkManifest,
  MANIFEST_FILE,
  MANIFEST_FORMAT,
  MANIFEST_VERSION,
  TENSOR_ALIGNMENT,
  type TensorSlice,
} from './manifest.js';

/** Manifest, rank, tensor, slice, ranges, range. */
const MAX_DEPTH = 10;

const MAX_RANKS = 4096;

/** A chunk is held in memory while it is read; larger ones would be no chunks. */
const MAX_CHUNK_BYTES = 1024 ** 3;

const MAX_DIMENSIONS = 16;

/** Reads a manifest and checks that it makes sense: every rank is there once, its tensors lie in its file
 * without overlapping, and its chunks are as many as the file needs.
 * @throws CheckpointError naming the rank and the tensor. */
export function parseManifest(text: string): ChunkManifest {
  const value = parseJson(text, { what: MANIFEST_FILE, maxDepth: MAX_DEPTH, uniqueKeys: true });
  if (!isJsonObject(value)) return fail('is not an object');
  if (value.format !== MANIFEST_FORMAT) return fail(`is not of the format ${MANIFEST_FORMAT}`);
  if (value.version !== MANIFEST_VERSION) {
    return fail(
      `has the version ${JSON.stringify(value.version)}; this reader knows ${MANIFEST_VERSION}`,
    );
  }
  const framework = objectOf(value, 'framework');
  const model = objectOf(value, 'model');
  const { quantization } = model;
  const tensorParallelDegree = countOf(value, 'tensorParallelDegree', MAX_RANKS);
  const pipelineParallelDegree = countOf(value, 'pipelineParallelDegree', MAX_RANKS);
  const chunkBytes = countOf(value, 'chunkBytes', MAX_CHUNK_BYTES);
  const { ranks, expertParallel } = value;
  const wanted = tensorParallelDegree * pipelineParallelDegree;
  if (!Array.isArray(ranks) || ranks.length !== wanted) {
    return fail(`does not list ${wanted} ranks, as its degrees make it`);
  }
  return {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    framework: { name: textOf(framework, 'name'), version: textOf(framework, 'version') },
    model: {
      type: textOf(model, 'type'),
      architecture: textOf(model, 'architecture'),
      quantization: typeof quantization === 'string' ? quantization : null,
    },
    tensorParallelDegree,
    pipelineParallelDegree,
    expertParallel: expertParallel === true,
    chunkBytes,
    ranks: ranks.map((rank, index) =>
      readRank(rank, {
        pipelineRank: Math.floor(index / tensorParallelDegree),
        tensorRank: index % tensorParallelDegree,
        chunkBytes,
      }),
    ),
  };
}

function fail(problem: string, tensor?: string): never {
  throw new CheckpointError(problem, {
    file: MANIFEST_FILE,
    ...(tensor === undefined ? {} : { tensor }),
  });
}

interface ExpectedRank {
  readonly pipelineRank: number;
  readonly tensorRank: number;
  readonly chunkBytes: number;
}

function readRank(value: JsonValue, expected: ExpectedRank): ChunkedRank {
  const { pipelineRank, tensorRank, chunkBytes } = expected;
  const where = `rank (${pipelineRank}, ${tensorRank})`;
  if (
    !isJsonObject(value) ||
    value.pipelineRank !== pipelineRank ||
    value.tensorRank !== tensorRank
  ) {
    return fail(`has no ${where} where it should be`);
  }
  const bytes = sizeOf(value, 'bytes');
  const { layers, chunks, tensors } = value;
  if (!isSizes(layers) || layers.length !== 2) return fail(`${where} has no layers`);
  const wanted = Math.ceil(bytes / chunkBytes);
  if (!Array.isArray(chunks) || chunks.length !== wanted || !chunks.every(isChecksum)) {
    return fail(`${where} of ${bytes} bytes does not have ${wanted} checksums of chunks`);
  }
  if (!Array.isArray(tensors)) return fail(`${where} has no list of tensors`);
  const read = tensors.map((tensor) => readTensor(tensor, where));
  checkPlaces(read, bytes, where);
  return {
    pipelineRank,
    tensorRank,
    layers: [layers[0] ?? 0, layers[1] ?? 0],
    file: plainFileName(textOf(value, 'file'), MANIFEST_FILE, where),
    bytes,
    chunks,
    tensors: read,
  };
}

function isChecksum(value: JsonValue): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}$/.test(value);
}

function readTensor(value: JsonValue, where: string): ChunkedTensor {
  if (!isJsonObject(value)) return fail(`a tensor of ${where} is not an object`);
  const name = textOf(value, 'name');
  const { dtype, shape } = value;
  if (typeof dtype !== 'string' || !isDtype(dtype)) return fail('has no known type', name);
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS) return fail('has no shape', name);
  const offset = sizeOf(value, 'offset');
  const bytes = sizeOf(value, 'bytes');
  checkBytes(dtype, shape, bytes, name);
  const slice = value.slice === undefined ? undefined : readSlice(value.slice, shape, name);
  return { name, dtype, shape, offset, bytes, ...(slice === undefined ? {} : { slice }) };
}

function checkBytes(dtype: Dtype, shape: readonly number[], bytes: number, name: string): void {
  const needed = tensorBytes(dtype, shape);
  if (needed !== bytes) {
    fail(`has ${bytes} bytes, but ${dtype} [${shape.join(', ')}] needs ${needed}`, name);
  }
}

function readSlice(value: JsonValue, shape: readonly number[], name: string): TensorSlice {
  if (!isJsonObject(value)) return fail('its slice is not an object', name);
  const { of, axis, ranges } = value;
  if (!isSizes(of) || of.length !== shape.length) return fail('its slice has no shape', name);
  if (typeof axis !== 'number' || !Number.isInteger(axis) || axis < 0 || axis >= of.length) {
    return fail('its slice has no axis', name);
  }
  if (of.some((size, index) => index !== axis && size !== shape[index])) {
    return fail('its slice differs in another dimension than the one divided', name);
  }
  if (!Array.isArray(ranges)) return fail('its slice has no ranges', name);
  let total = 0;
  const read = ranges.map((range): readonly [number, number] => {
    const [first = 0, count = 0] = isSizes(range) && range.length === 2 ? range : [-1, 0];
    if (first < 0 || first + count > (of[axis] ?? 0)) {
      return fail('its slice reaches beyond the tensor', name);
    }
    total += count;
    return [first, count];
  });
  if (total > (shape[axis] ?? 0)) return fail('its slice is longer than its shape', name);
  return { of, axis, ranges: read };
}

/** Tensors come in order, aligned, and neither overlap nor reach beyond the file. */
function checkPlaces(tensors: readonly ChunkedTensor[], bytes: number, where: string): void {
  const names = new Set<string>();
  let end = 0;
  for (const { name, offset, bytes: length } of tensors) {
    if (names.has(name)) fail(`is twice in ${where}`, name);
    names.add(name);
    if (offset % TENSOR_ALIGNMENT !== 0) fail(`begins at ${offset}, which is not aligned`, name);
    if (offset < end) fail('overlaps the tensor before it', name);
    end = offset + length;
    if (end > bytes) fail(`ends at ${end}, but the file of ${where} has ${bytes} bytes`, name);
  }
}

function objectOf(value: JsonObject, key: string): JsonObject {
  const found = value[key];
  return isJsonObject(found) ? found : fail(`has no ${key}`);
}

function textOf(value: JsonObject, key: string): string {
  const found = value[key];
  return typeof found === 'string' ? found : fail(`has no ${key}`);
}

function sizeOf(value: JsonObject, key: string): number {
  const found = value[key];
  return isSize(found) ? found : fail(`has no ${key}`);
}

function countOf(value: JsonObject, key: string, most: number): number {
  const found = sizeOf(value, key);
  return found >= 1 && found <= most ? found : fail(`has ${key} ${found}, not 1 to ${most}`);
}

function isSize(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSizes(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every(isSize);
}
