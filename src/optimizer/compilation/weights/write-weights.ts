import { type FileHandle, open } from 'node:fs/promises';
import type { KernelPool } from '../../../kernels/index.js';
import { rotaryFrequencies } from '../../forward/rotary.js';
import type { TensorFiles } from '../../forward/weights/tensor-files.js';
import type { WeightSource } from '../../forward/weights/weight-source.js';
import { writeAll } from '../../output/write-all.js';
import type { FloatElement } from '../graph/element.js';
import type { CodedRows, CodeSource, CodeSources } from './code-source.js';
import { encodeFloats } from './encode-floats.js';
import type { Matrix, MatrixPart } from './matrix.js';
import type { PlacedTensor, PlannedWeight } from './planned-weight.js';
import { type PlannedCodes, roundWeights } from './round-weights.js';

/** Bytes of f32 that are in memory at a time on their way from the checkpoint to the graph's file. */
const SLAB_BYTES = 8 * 1024 * 1024;

export interface WriteOptions {
  /** The checkpoint's tensors as they are stored, for weights that the kernels round. */
  readonly files: TensorFiles;
  readonly pool: KernelPool;
  readonly source: WeightSource;
  readonly kept: CodeSources;
  readonly signal: AbortSignal;
  readonly onWritten: (weight: PlannedWeight) => void;
}

/** Writes weights of a graph, slab by slab: a few megabytes are in memory whatever their size; with kept
 * codes that are stored by columns, one layer's.
 * @param path of their file, which is there in its full size.
 * @throws CheckpointError, CompilationError; the signal's reason when it aborts. */
export async function writeWeights(
  path: string,
  weights: readonly PlannedWeight[],
  options: WriteOptions,
): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const { signal, onWritten } = options;
    await roundWeights(path, weights.filter(isRounded), options);
    const writer = new WeightWriter(handle, options);
    for (const weight of weights) {
      signal.throwIfAborted();
      if (isRounded(weight)) continue;
      await writer.write(weight);
      onWritten(weight);
    }
  } finally {
    await handle.close();
  }
}

class WeightWriter {
  readonly #handle: FileHandle;
  readonly #options: WriteOptions;

  constructor(handle: FileHandle, options: WriteOptions) {
    this.#handle = handle;
    this.#options = options;
  }

  async write(weight: PlannedWeight): Promise<void> {
    switch (weight.kind) {
      case 'vector':
        return this.#vector(weight);
      case 'matrix':
        return this.#matrix(weight);
      case 'codes':
        return this.#keptCodes(weight);
      case 'indices':
        return this.#put(weight.target, 0, new Uint8Array(weight.values.buffer));
      case 'rotation':
        return this.#rotation(weight);
    }
  }

  async #vector({ target, tensors, added }: Planned<'vector'>): Promise<void> {
    let at = 0;
    for (const { name, first, count } of tensors) {
      const values = (await this.#options.source.tensor(name)).slice(first, first + count);
      const own = added === 0 ? values : values.map((value) => value + added);
      const bytes = encodeFloats(own, elementOf(target), target.name);
      await this.#put(target, at, bytes);
      at += bytes.length;
    }
  }

  async #matrix({ target, matrix }: Planned<'matrix'>): Promise<void> {
    let at = 0;
    for await (const values of this.#slabs(matrix)) {
      const bytes = encodeFloats(values, elementOf(target), target.name);
      await this.#put(target, at, bytes);
      at += bytes.length;
    }
  }

  async #keptCodes(weight: PlannedCodes): Promise<void> {
    const { matrix, form } = weight;
    const places = new CodePlaces();
    for (const part of matrix.parts) {
      const sources: CodeSource[] = [];
      for (const { module } of part.modules) sources.push(await this.#options.kept.open(module));
      for (const [done, count] of slabsOf(part, matrix.columns)) {
        this.#options.signal.throwIfAborted();
        const rows = sources.map((source, index) =>
          source.rows((part.modules[index]?.first ?? 0) + done, count, form),
        );
        await this.#putCodes(weight, places, interleaveCodes(rows, count));
      }
    }
  }

  async #putCodes(weight: PlannedCodes, places: CodePlaces, coded: CodedRows): Promise<void> {
    await this.#put(weight.codes, places.codes, coded.codes);
    places.codes += coded.codes.length;
    const scales = encodeFloats(coded.scales, elementOf(weight.scales), weight.scales.name);
    await this.#put(weight.scales, places.scales, scales);
    places.scales += scales.length;
    if (weight.zeroPoints === undefined || coded.zeroPoints === undefined) return;
    await this.#put(weight.zeroPoints, places.zeroPoints, coded.zeroPoints);
    places.zeroPoints += coded.zeroPoints.length;
  }

  /** Rows of a matrix as f32, some at a time. */
  async *#slabs(matrix: Matrix): AsyncGenerator<Float32Array> {
    const { source, signal } = this.#options;
    for (const part of matrix.parts) {
      for (const [done, count] of slabsOf(part, matrix.columns)) {
        signal.throwIfAborted();
        const rows: Float32Array[] = [];
        for (const { module, first } of part.modules) {
          rows.push((await source.rows(module, first + done, count)).values);
        }
        yield interleave(rows, count);
      }
    }
  }

  async #rotation(weight: Planned<'rotation'>): Promise<void> {
    const { target, rotary, tables } = weight;
    const turn = weight.function === 'cos' ? Math.cos : Math.sin;
    const columns = rotary.dimensions / 2;
    const step = rowsPerSlab(columns);
    let at = 0;
    for (const { rows, positions } of tables) {
      const { frequencies, scale } = rotaryFrequencies(rotary, positions);
      for (let first = 0; first < rows; first += step) {
        const count = Math.min(step, rows - first);
        const values = new Float32Array(count * columns);
        for (let index = 0; index < values.length; index += 1) {
          const frequency = Math.fround(frequencies[index % columns] ?? 0);
          const position = first + Math.floor(index / columns);
          values[index] = turn(Math.fround(position * frequency)) * scale;
        }
        const bytes = encodeFloats(values, elementOf(target), target.name);
        await this.#put(target, at, bytes);
        at += bytes.length;
      }
    }
  }

  async #put(target: PlacedTensor, at: number, bytes: Uint8Array): Promise<void> {
    if (at + bytes.length > target.length) {
      throw new Error(`${target.name} has more than the ${target.length} bytes that are planned`);
    }
    await writeAll(this.#handle, bytes, target.offset + at);
  }
}

type Planned<Kind extends PlannedWeight['kind']> = Extract<PlannedWeight, { readonly kind: Kind }>;

function isRounded(weight: PlannedWeight): weight is PlannedCodes {
  return weight.kind === 'codes' && !weight.kept;
}

/** How much of each tensor of a weight is written. */
class CodePlaces {
  codes = 0;
  scales = 0;
  zeroPoints = 0;
}

function elementOf({ type, name }: PlacedTensor): FloatElement {
  if (type === 'float32' || type === 'float16') return type;
  throw new Error(`${name} holds no floats`);
}

function rowsPerSlab(columns: number): number {
  return Math.max(1, Math.floor(SLAB_BYTES / (columns * Float32Array.BYTES_PER_ELEMENT)));
}

function* slabsOf(part: MatrixPart, columns: number): Generator<readonly [number, number]> {
  const step = Math.max(1, Math.floor(rowsPerSlab(columns) / part.modules.length));
  for (let done = 0; done < part.rows; done += step) {
    yield [done, Math.min(step, part.rows - done)];
  }
}

type Numbers = Float32Array | Uint8Array;

/** Rows of several matrices by turns. */
function interleave<Values extends Numbers>(parts: readonly Values[], rows: number): Values {
  const [first] = parts;
  if (first === undefined) throw new Error('there is nothing to interleave');
  if (parts.length === 1) return first;
  const size = first.length / rows;
  const all = (
    first instanceof Float32Array
      ? new Float32Array(first.length * parts.length)
      : new Uint8Array(first.length * parts.length)
  ) as Values;
  for (let row = 0; row < rows; row += 1) {
    for (const [index, part] of parts.entries()) {
      all.set(part.subarray(row * size, (row + 1) * size), (row * parts.length + index) * size);
    }
  }
  return all;
}

function interleaveCodes(parts: readonly CodedRows[], rows: number): CodedRows {
  const zeroPoints = parts.flatMap(({ zeroPoints: own }) => (own === undefined ? [] : [own]));
  return {
    codes: interleave(
      parts.map(({ codes }) => codes),
      rows,
    ),
    scales: interleave(
      parts.map(({ scales }) => scales),
      rows,
    ),
    zeroPoints: zeroPoints.length === 0 ? undefined : interleave(zeroPoints, rows),
  };
}
