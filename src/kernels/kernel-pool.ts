import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { checkBlocksTask } from './check-blocks-task.js';
import { checkScatterTask } from './check-scatter-task.js';
import { checkCopyTask, checkQuantizeTask } from './check-task.js';
import type { ChunkChecksums } from './checksum-chunks.js';
import type { CopyRangeResult, CopyRangeTask } from './copy-range.js';
import type { EncodeBlocksTask } from './encode-blocks.js';
import { shortFile } from './file-access.js';
import type { FileRange } from './file-range.js';
import { FLOAT_BYTES } from './float-type.js';
import { compileKernels } from './kernel-module.js';
import type { WorkerResults, WorkerSetup, WorkerTask } from './kernel-worker.js';
import { PIECE_BYTES, ROW_UNIT } from './limits.js';
import { OpenFiles, type SizedFile, type WantedFile } from './open-files.js';
import { type Outcome, releaseOutcome } from './outcome.js';
import type { PieceErrors } from './quantize-piece.js';
import type { QuantizationError, QuantizeRowsTask } from './quantize-rows.js';
import { runPieces } from './run-pieces.js';
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

class ThreadPool implements KernelPool {
  readonly #threads: Piscina<WorkerTask, Outcome<WorkerResults[WorkerTask['kind']]>>;
  readonly #width: number;
  readonly #files = new OpenFiles();
  readonly #closing = new AbortController();
  readonly #calls = new Set<Promise<unknown>>();

  constructor(threads: number) {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new RangeError(`threads must be a whole number of 1 or more, not ${threads}`);
    }
    const setup: WorkerSetup = { module: compileKernels() };
    this.#width = threads * PIECES_PER_THREAD;
    this.#threads = new Piscina({
      filename: fileURLToPath(new URL('./kernel-worker.js', import.meta.url)),
      workerData: setup,
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
  }

  quantizeRows(task: QuantizeRowsTask, options: KernelOptions = {}): Promise<QuantizationError> {
    return this.#call(options, (signal) => this.#quantizeRows(task, signal));
  }

  encodeBlocks(task: EncodeBlocksTask, options: KernelOptions = {}): Promise<void> {
    return this.#call(options, (signal) => this.#encodeBlocks(task, signal));
  }

  copyRange(task: CopyRangeTask, options: KernelOptions = {}): Promise<CopyRangeResult> {
    return this.#call(options, (signal) => this.#copyRange(task, signal));
  }

  scatterRows(task: ScatterRowsTask, options: KernelOptions = {}): Promise<void> {
    return this.#call(options, (signal) => this.#scatterRows(task, signal));
  }

  sha256(path: string, options: KernelOptions = {}): Promise<string> {
    return this.#call(options, (stop) =>
      this.#readThrough(path, stop, (pass) => this.#run({ kind: 'hash', ...pass })),
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
      this.#readThrough(path, stop, (pass) => this.#run({ kind: 'checksum', ...pass, chunkBytes })),
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

  async #run<Kind extends WorkerTask['kind']>(
    task: WorkerTask & { readonly kind: Kind },
  ): Promise<WorkerResults[Kind]> {
    const outcome = await this.#threads.run(task);
    return releaseOutcome(outcome as Outcome<WorkerResults[Kind]>);
  }

  async #quantizeRows(task: QuantizeRowsTask, stop: StopSignals): Promise<QuantizationError> {
    checkQuantizeTask(task);
    const wanted = {
      source: toRead(task.source),
      codes: toWrite(task.codes),
      scales: toWrite(task.scales),
      zeroPoints: task.zeroPoints && toWrite(task.zeroPoints),
    };
    const rowBytes = task.columns * FLOAT_BYTES[task.sourceType];
    const unitBytes = rowBytes * ROW_UNIT;
    const pieceRows = Math.max(1, Math.floor(PIECE_BYTES / unitBytes)) * ROW_UNIT;
    return this.#files.with(wanted, async (files) => {
      checkSize(files.source, task.source);
      const pieces = await runPieces(
        Math.ceil(task.rows / pieceRows),
        this.#width,
        (index) => {
          const firstRow = index * pieceRows;
          const rows = Math.min(pieceRows, task.rows - firstRow);
          return this.#run({ kind: 'quantize', task, ...files, firstRow, rows });
        },
        stop,
      );
      return sumErrors(pieces);
    });
  }

  async #encodeBlocks(task: EncodeBlocksTask, stop: StopSignals): Promise<void> {
    checkBlocksTask(task);
    const { sources, rows, columns } = task;
    const wanted: Readonly<Record<string, WantedFile>> = {
      target: toWrite(task.codes),
      ...Object.fromEntries(sources.map(({ range }, index) => [String(index), toRead(range)])),
    };
    const rowBytes = columns * FLOAT_BYTES.F32 * sources.length;
    const pieceRows = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
    return this.#files.with(wanted, async (files) => {
      const from = sources.map(({ range }, index) => {
        const file = opened(files, String(index));
        checkSize(file, range);
        return file;
      });
      await runPieces(
        Math.ceil(rows / pieceRows),
        this.#width,
        (index) => {
          const firstRow = index * pieceRows;
          return this.#run({
            kind: 'encode-blocks',
            ...{ task, sources: from, target: opened(files, 'target'), firstRow },
            rows: Math.min(pieceRows, rows - firstRow),
          });
        },
        stop,
      );
    });
  }

  async #copyRange(task: CopyRangeTask, stop: StopSignals): Promise<CopyRangeResult> {
    checkCopyTask(task);
    const { source, target, checkFinite } = task;
    const wanted = { source: toRead(source), target: toWrite(target) };
    return this.#files.with(wanted, async (files) => {
      checkSize(files.source, source);
      const pieces = await runPieces(
        Math.ceil(source.length / PIECE_BYTES),
        this.#width,
        (index) => {
          const first = index * PIECE_BYTES;
          return this.#run({
            kind: 'copy',
            source: files.source,
            sourceOffset: source.offset + first,
            target: files.target,
            targetOffset: target.offset + first,
            length: Math.min(PIECE_BYTES, source.length - first),
            checkFinite,
          });
        },
        stop,
      );
      return firstNonFinite(pieces, checkFinite);
    });
  }

  async #scatterRows(task: ScatterRowsTask, stop: StopSignals): Promise<void> {
    checkScatterTask(task);
    const { source, rows, rowBytes } = task;
    const paths = [...new Set(task.targets.map(({ path }) => path))];
    const wanted: Readonly<Record<string, WantedFile>> = {
      source: toRead(source),
      ...Object.fromEntries(
        paths.map((path, index) => [String(index), { path, use: 'write' } as const]),
      ),
    };
    const pieceRows = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
    return this.#files.with(wanted, async (files) => {
      const from = opened(files, 'source');
      checkSize(from, source);
      const targets = task.targets.map(({ path, ...block }) => ({
        ...block,
        file: opened(files, String(paths.indexOf(path))),
      }));
      await runPieces(
        Math.ceil(rows / pieceRows),
        this.#width,
        (index) => {
          const firstRow = index * pieceRows;
          const end = Math.min(firstRow + pieceRows, rows);
          return this.#run({
            kind: 'scatter',
            ...{ source: from, sourceOffset: source.offset, rowBytes },
            ...{ firstRow, rows: end - firstRow },
            targets: targets.filter(
              (target) => target.firstRow < end && firstRow < target.firstRow + target.rows,
            ),
          });
        },
        stop,
      );
    });
  }

  /** Lets one worker read a file from end to end, and tells it when to stop. */
  async #readThrough<Result>(
    path: string,
    stop: StopSignals,
    read: (pass: ReadPass) => Promise<Result | undefined>,
  ): Promise<Result> {
    return this.#files.with({ file: { path, use: 'read' } }, async ({ file }) => {
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

function toRead({ path }: FileRange): WantedFile {
  return { path, use: 'read' };
}

function toWrite({ path }: FileRange): WantedFile {
  return { path, use: 'write' };
}

function opened(files: Readonly<Record<string, SizedFile | undefined>>, key: string): SizedFile {
  const file = files[key];
  if (file === undefined) throw new Error(`${key} was not opened`);
  return file;
}

function checkSize(file: SizedFile, range: FileRange): void {
  const end = range.offset + range.length;
  if (file.size < end) throw shortFile(file.path, end, file.size);
}

/** Adds up the pieces in their order, so that the result is the same however they were spread. */
function sumErrors(pieces: readonly PieceErrors[]): QuantizationError {
  const total = { sumSquaredError: 0, sumSquares: 0 };
  let worst = { worstAbsolute: 0, worstRow: 0, worstColumn: 0 };
  for (const { sumSquaredError, sumSquares, ...pieceWorst } of pieces) {
    total.sumSquaredError += sumSquaredError;
    total.sumSquares += sumSquares;
    if (pieceWorst.worstAbsolute > worst.worstAbsolute) worst = pieceWorst;
  }
  const relativeRms =
    total.sumSquares === 0 ? 0 : Math.sqrt(total.sumSquaredError / total.sumSquares);
  return { relativeRms, ...worst, ...total };
}

function firstNonFinite(
  pieces: readonly CopyRangeResult[],
  type: CopyRangeTask['checkFinite'],
): CopyRangeResult {
  const piece = pieces.findIndex(({ nonFinite }) => nonFinite !== undefined);
  const found = pieces[piece]?.nonFinite;
  if (found === undefined || type === undefined) return {};
  const index = found.index + (piece * PIECE_BYTES) / FLOAT_BYTES[type];
  return { nonFinite: { index, kind: found.kind } };
}
