import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { ChunkChecksums } from './checksum-chunks.js';
import type { CopyRangeResult, CopyRangeTask } from './copy-range.js';
import type { EncodeBlocksTask } from './encode-blocks.js';
import {
  copyInPieces,
  encodeInPieces,
  type PieceWorkers,
  quantizeInPieces,
  scatterInPieces,
} from './in-pieces.js';
import { compileKernels } from './kernel-memory.js';
import type { WorkerResults, WorkerSetup, WorkerTask } from './kernel-worker.js';
import { OpenFiles, type SizedFile } from './open-files.js';
import { type Outcome, releaseOutcome } from './outcome.js';
import type { QuantizationError, QuantizeRowsTask } from './quantize-rows.js';
import type { ScatterRowsTask } from './scatter-rows.js';
import { StopSignals } from './stop-signals.js';
import { threadCount } from './thread-count.js';

export interface KernelOptions {
  readonly signal?: AbortSignal;
}

/**
 * Worker threads that run the kernels. No bytes cross threads: workers read and write the files.
 *
 * Calls may overlap, and should where there are many small tensors: the threads then always have
 * work. Memory does not grow with the number of calls or the size of the files. Every call settles
 * only when no worker touches its files any more, after an abort or a failure too; targets are
 * then partly written. All throw the signal's reason when aborted, KernelTaskError for a task that
 * makes no sense, and KernelFileError for a file that cannot be opened, read or written or is too
 * short.
 */
export interface KernelPool {
  /** Encodes a weight; throws NonFiniteWeightError when it holds NaN or an infinity. */
  quantizeRows(task: QuantizeRowsTask, options?: KernelOptions): Promise<QuantizationError>;
  /** Rounds weights to codes in blocks; throws NonFiniteWeightError like `quantizeRows`. */
  encodeBlocks(task: EncodeBlocksTask, options?: KernelOptions): Promise<void>;
  /** Copies bytes, all of them whatever a check for finite numbers finds. */
  copyRange(task: CopyRangeTask, options?: KernelOptions): Promise<CopyRangeResult>;
  /** Hands the blocks of a matrix of bytes to several places, reading each byte once. */
  scatterRows(task: ScatterRowsTask, options?: KernelOptions): Promise<void>;
  /** SHA-256 of a whole file, in lower-case hexadecimal. */
  sha256(path: string, options?: KernelOptions): Promise<string>;
  /** SHA-256 of a whole file and CRC-32 of each of its chunks, in one pass.
   * @param chunkBytes bytes of every chunk but the last; 1 or more. */
  checksumChunks(
    path: string,
    chunkBytes: number,
    options?: KernelOptions,
  ): Promise<ChunkChecksums>;
  /** Aborts what is under way, ends the threads, and returns when no file is open any more. */
  close(): Promise<void>;
}

export interface KernelPoolOptions {
  /** Worker threads; as many as the process was given, or as the machine runs at once, unless set. */
  readonly threads?: number;
}

/** Starts a pool; its threads start with the first work. */
export function createKernelPool(options: KernelPoolOptions = {}): KernelPool {
  return new ThreadPool(options.threads ?? threadCount());
}

/** Pieces of one call that wait at a worker or run: enough that no thread waits for the next. */
const PIECES_PER_THREAD = 2;

class ThreadPool implements KernelPool, PieceWorkers {
  readonly files = new OpenFiles();
  readonly width: number;
  readonly #threads: Piscina<WorkerTask, Outcome<WorkerResults[WorkerTask['kind']]>>;
  readonly #closing = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();

  constructor(threads: number) {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new RangeError(`threads must be a whole number of 1 or more, not ${threads}`);
    }
    this.width = threads * PIECES_PER_THREAD;
    const setup: WorkerSetup = { module: compileKernels() };
    this.#threads = new Piscina({
      filename: fileURLToPath(new URL('./kernel-worker.js', import.meta.url)),
      workerData: setup,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
  }

  quantizeRows(task: QuantizeRowsTask, options: KernelOptions = {}): Promise<QuantizationError> {
    return this.#call(options, (stop) => quantizeInPieces(this, task, stop));
  }

  encodeBlocks(task: EncodeBlocksTask, options: KernelOptions = {}): Promise<void> {
    return this.#call(options, (stop) => encodeInPieces(this, task, stop));
  }

  copyRange(task: CopyRangeTask, options: KernelOptions = {}): Promise<CopyRangeResult> {
    return this.#call(options, (stop) => copyInPieces(this, task, stop));
  }

  scatterRows(task: ScatterRowsTask, options: KernelOptions = {}): Promise<void> {
    return this.#call(options, (stop) => scatterInPieces(this, task, stop));
  }

  sha256(path: string, options: KernelOptions = {}): Promise<string> {
    return this.#call(options, (stop) =>
      this.#readThrough(path, stop, (pass) => this.run({ kind: 'hash', ...pass })),
    );
  }

  async checksumChunks(
    path: string,
    chunkBytes: number,
    options: KernelOptions = {},
  ): Promise<ChunkChecksums> {
    if (!Number.isSafeInteger(chunkBytes) || chunkBytes < 1) {
      throw new RangeError(`chunkBytes must be a whole number of 1 or more, not ${chunkBytes}`);
    }
    return this.#call(options, (stop) =>
      this.#readThrough(path, stop, (pass) => this.run({ kind: 'checksum', ...pass, chunkBytes })),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('The kernel pool was closed.'));
    await Promise.allSettled(this.#calls);
    await this.#threads.destroy();
  }

  /** Runs one call until its own signal or the pool's stops it; remembers it until it settles. */
  async #call<Result>(
    { signal }: KernelOptions,
    work: (stop: StopSignals) => Promise<Result>,
  ): Promise<Result> {
    const stop = new StopSignals(signal, this.#closing.signal);
    stop.throwIfStopped();
    const call = work(stop);
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  async run<Kind extends WorkerTask['kind']>(
    task: WorkerTask & { readonly kind: Kind },
  ): Promise<WorkerResults[Kind]> {
    const outcome = await this.#threads.run(task);
    return releaseOutcome(outcome as Outcome<WorkerResults[Kind]>);
  }

  /** Lets one worker read a file from end to end, and tells it when to stop. */
  async #readThrough<Result>(
    path: string,
    stop: StopSignals,
    read: (pass: ReadPass) => Promise<Result | undefined>,
  ): Promise<Result> {
    return this.files.with({ file: { path, use: 'read' } }, async ({ file }) => {
      const flag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
      const raise = (): void => {
        Atomics.store(new Int32Array(flag), 0, 1);
      };
      const result = await stop.whileListening(raise, () =>
        read({ file, size: file.size, stop: flag }),
      );
      stop.throwIfStopped();
      if (result === undefined) throw new Error(`Reading ${path} stopped without being told to.`);
      return result;
    });
  }
}

/** What a worker needs to read a whole file. */
interface ReadPass {
  readonly file: SizedFile;
  readonly size: number;
  readonly stop: SharedArrayBuffer;
}
