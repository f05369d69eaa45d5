import * as ort from '../../onnx-runtime/onnx-runtime.js';
import { cacheNames, IDS_INPUT, LOGITS_OUTPUT, MASK_INPUT } from '../graph/names.js';
import type { CacheShape, RuntimeLevel } from './graph-task.js';

/** A compiled graph that reads one sequence, some tokens at a time. Its key/value cache has room for the
 * longest sequence and is written in place. */
export class CachedDecoder {
  readonly #session: ort.InferenceSession;
  readonly #feeds: Readonly<Record<string, ort.Tensor>>;
  readonly #fetches: Readonly<Record<string, ort.Tensor | null>>;
  readonly #positions: number;
  #length = 0;

  private constructor(session: ort.InferenceSession, shape: CacheShape) {
    this.#session = session;
    this.#positions = shape.positions;
    const feeds: Record<string, ort.Tensor> = {};
    const fetches: Record<string, ort.Tensor | null> = { [LOGITS_OUTPUT]: null };
    for (const [index, { heads, headSize }] of shape.blocks.entries()) {
      const { past, present } = cacheNames(index);
      for (const role of ['key', 'value'] as const) {
        const count = heads * shape.positions * headSize;
        const values =
          shape.element === 'float32' ? new Float32Array(count) : new Uint16Array(count);
        const tensor = new ort.Tensor(shape.element, values, [1, heads, shape.positions, headSize]);
        feeds[past[role]] = tensor;
        fetches[present[role]] = tensor;
      }
    }
    this.#feeds = feeds;
    this.#fetches = fetches;
  }

  static async open(path: string, level: RuntimeLevel, shape: CacheShape): Promise<CachedDecoder> {
    const session = await ort.InferenceSession.create(path, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: level,
      logSeverityLevel: 3,
    });
    return new CachedDecoder(session, shape);
  }

  /** Forgets what was read. */
  restart(): void {
    this.#length = 0;
  }

  /** Reads the next tokens.
   * @returns their logits, `[tokens, vocabulary]`. */
  async read(ids: readonly number[]): Promise<Float32Array> {
    const length = this.#length + ids.length;
    if (length > this.#positions) throw new RangeError(`${length} tokens do not fit the cache`);
    const outputs = await this.#session.run(
      {
        ...this.#feeds,
        [IDS_INPUT]: new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]),
        [MASK_INPUT]: new ort.Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]),
      },
      this.#fetches,
    );
    this.#length = length;
    return outputs[LOGITS_OUTPUT]?.data as Float32Array;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}

/** The token that the last of some logits make most likely. */
export function mostLikely(logits: Float32Array, vocabulary: number): number {
  const last = logits.subarray(logits.length - vocabulary);
  let best = 0;
  for (let token = 1; token < last.length; token += 1) {
    if ((last[token] ?? 0) > (last[best] ?? 0)) best = token;
  }
  return best;
}
