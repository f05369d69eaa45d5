import { CheckpointError } from '../errors.js';
import { DTYPE_BITS, type Dtype, tensorBytes } from './dtypes.js';
import { MAX_HEADER_BYTES } from './reader.js';

/** A tensor that is to be written. */
export interface PlannedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

export interface PlacedTensor extends PlannedTensor {
  /** First byte, counted from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** A safetensors file laid out before any of its data exists: whoever knows its header and a tensor's
 * place can write that tensor, in any order and from any thread. */
export interface SafetensorsLayout {
  /** Length prefix and JSON, padded with spaces so that the data begins at a multiple of 8. */
  readonly header: Uint8Array;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
}

const ALIGNMENT = 8;

/** Lays out a safetensors file. The widest types come first, so every tensor starts at a multiple of
 * its own element's size; readers that map the file rely on that. Among equals the order is kept.
 * @throws CheckpointError if two tensors share a name or the header would be too long to read. */
export function layoutSafetensors(
  tensors: readonly PlannedTensor[],
  metadata: Readonly<Record<string, string>> | undefined,
  file: string,
): SafetensorsLayout {
  const ordered = [...tensors].sort((a, b) => DTYPE_BITS[b.dtype] - DTYPE_BITS[a.dtype]);
  const entries = new Map<string, object>();
  if (metadata !== undefined) entries.set('__metadata__', metadata);
  const relative: PlacedTensor[] = [];
  let end = 0;
  for (const tensor of ordered) {
    const { name, dtype, shape } = tensor;
    const length = tensorBytes(dtype, shape);
    if (length === undefined || !Number.isSafeInteger(end + length)) {
      throw new CheckpointError('is too large to write', { file, tensor: name });
    }
    if (entries.has(name)) {
      throw new CheckpointError('would be written twice', { file, tensor: name });
    }
    entries.set(name, { dtype, shape, data_offsets: [end, end + length] });
    relative.push({ name, dtype, shape, offset: end, length });
    end += length;
  }
  const header = encodeHeader(entries, file);
  return {
    header,
    size: header.length + end,
    tensors: new Map(
      relative.map((tensor) => [tensor.name, { ...tensor, offset: header.length + tensor.offset }]),
    ),
  };
}

function encodeHeader(entries: ReadonlyMap<string, object>, file: string): Uint8Array {
  // Joined by hand: an object would move keys that look like numbers to the front.
  const members = [...entries].map(
    ([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`,
  );
  const json = Buffer.from(`{${members.join(',')}}`);
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  if (length > MAX_HEADER_BYTES) {
    throw new CheckpointError(
      `needs a header of ${length} bytes; readers take ${MAX_HEADER_BYTES}`,
      {
        file,
      },
    );
  }
  const header = Buffer.alloc(ALIGNMENT + length, ' ');
  header.writeBigUInt64LE(BigInt(length));
  json.copy(header, ALIGNMENT);
  return header;
}
