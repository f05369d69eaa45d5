import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CheckpointError, quoted } from '../errors.js';
import { decodeUtf8, isJsonObject, type JsonObject, type JsonValue, parseJson } from '../json.js';
import { DTYPE_BITS, type Dtype, isDtype, tensorBytes } from './dtypes.js';

/** The format's own library refuses longer headers; a header of this length names over a million
 * tensors. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The header's objects are: all tensors, one tensor, its shape. */
const MAX_HEADER_DEPTH = 3;

/** Tensors in practice have at most five dimensions. */
const MAX_DIMENSIONS = 16;

const LENGTH_BYTES = 8;

/** Where one tensor lies and what it holds. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Name of the file, for messages and for the output, which keeps it. */
  readonly file: string;
  readonly path: string;
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** A safetensors file of which only the header was read. */
export interface SafetensorsFile {
  readonly path: string;
  readonly file: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The header's `__metadata__`; undefined where it has none. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** In the order in which their data lies in the file. */
  readonly tensors: readonly TensorInfo[];
}

/** Reads and checks a safetensors header: every tensor's bytes lie in the file, they neither overlap
 * nor leave gaps, and they are as many as shape and type need.
 * @throws CheckpointError naming the file and the tensor. */
export async function readSafetensors(
  path: string,
  file: string = basename(path),
): Promise<SafetensorsFile> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const headerBytes = await readHeaderLength(handle, size, file);
    const text = decodeUtf8(await readExactly(handle, LENGTH_BYTES, headerBytes, file), file);
    if (!text.startsWith('{')) {
      throw new CheckpointError('its header does not begin with {: not a safetensors file', {
        file,
      });
    }
    const header = parseJson(text.trimEnd(), {
      what: file,
      maxDepth: MAX_HEADER_DEPTH,
      uniqueKeys: true,
    });
    if (!isJsonObject(header)) throw new CheckpointError('its header is not an object', { file });
    const dataStart = LENGTH_BYTES + headerBytes;
    const tensors = Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, entry]) => readEntry(name, entry, { file, path, dataStart }))
      .sort((a, b) => a.offset - b.offset || a.length - b.length);
    checkTiling(tensors, dataStart, size, file);
    return { path, file, size, metadata: readMetadata(header, file), tensors };
  } finally {
    await handle.close();
  }
}

async function readHeaderLength(handle: FileHandle, size: number, file: string): Promise<number> {
  if (size < LENGTH_BYTES) {
    throw new CheckpointError(`is ${size} bytes long, too short for a safetensors file`, { file });
  }
  const length = Buffer.from(await readExactly(handle, 0, LENGTH_BYTES, file)).readBigUInt64LE();
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new CheckpointError(
      `claims a header of ${length} bytes; at most ${MAX_HEADER_BYTES} are allowed`,
      { file },
    );
  }
  if (length > BigInt(size - LENGTH_BYTES)) {
    throw new CheckpointError(
      `claims a header of ${length} bytes but the file has ${size}: it is truncated`,
      { file },
    );
  }
  return Number(length);
}

async function readExactly(
  handle: FileHandle,
  offset: number,
  length: number,
  file: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw new CheckpointError('ended while its header was read', { file });
    filled += bytesRead;
  }
  return bytes;
}

interface Place {
  readonly file: string;
  readonly path: string;
  readonly dataStart: number;
}

function readEntry(name: string, entry: JsonValue, { file, path, dataStart }: Place): TensorInfo {
  const fail = (message: string): never => {
    throw new CheckpointError(message, { file, tensor: name });
  };
  if (!isJsonObject(entry)) return fail('its header entry is not an object');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !isDtype(dtype)) {
    return fail(
      `has the type ${quoted(String(dtype))}, which is none of ${Object.keys(DTYPE_BITS).join(', ')}`,
    );
  }
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS) {
    return fail(`its shape is not a list of at most ${MAX_DIMENSIONS} sizes`);
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    return fail('its data_offsets are not two positions');
  }
  const [start = 0, end = 0] = offsets;
  if (end < start) return fail(`its data ends (${end}) before it begins (${start})`);
  const needed = tensorBytes(dtype, shape);
  if (needed === undefined) return fail(`its shape [${shape.join(', ')}] is too large`);
  if (needed !== end - start) {
    return fail(
      `has ${end - start} bytes of data, but ${dtype} [${shape.join(', ')}] needs ${needed}`,
    );
  }
  return { name, dtype, shape, file, path, offset: dataStart + start, length: needed };
}

function isSizes(value: JsonValue | undefined): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
  );
}

/** The data must be covered exactly once: an overlap would let one tensor lie about another, a gap
 * could hide anything. */
function checkTiling(
  tensors: readonly TensorInfo[],
  dataStart: number,
  size: number,
  file: string,
): void {
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.offset + tensor.length > size) {
      throw new CheckpointError(
        `its data ends at byte ${tensor.offset + tensor.length}, but the file has ${size}: it is truncated or its header lies`,
        { file, tensor: tensor.name },
      );
    }
    if (tensor.offset !== end) {
      throw new CheckpointError(
        tensor.offset < end
          ? 'its data overlaps that of another tensor'
          : `its data leaves a gap of ${tensor.offset - end} bytes before it`,
        { file, tensor: tensor.name },
      );
    }
    end = tensor.offset + tensor.length;
  }
  if (end !== size) {
    throw new CheckpointError(`has ${size - end} bytes after its last tensor`, { file });
  }
}

function readMetadata(
  header: JsonObject,
  file: string,
): Readonly<Record<string, string>> | undefined {
  const metadata = header.__metadata__;
  if (metadata === undefined) return undefined;
  if (!isJsonObject(metadata)) {
    throw new CheckpointError('its __metadata__ is not an object', { file });
  }
  const entries = Object.entries(metadata).map(([key, value]): [string, string] => {
    if (typeof value !== 'string') {
      throw new CheckpointError(`its __metadata__ ${quoted(key)} is not a string`, { file });
    }
    return [key, value];
  });
  return Object.fromEntries(entries);
}
