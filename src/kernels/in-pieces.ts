import { checkBlocksTask } from './check-blocks-task.js';
import { checkScatterTask } from './check-scatter-task.js';
import { checkCopyTask, checkQuantizeTask } from './check-task.js';
import type { CopyRangeResult, CopyRangeTask } from './copy-range.js';
import type { EncodeBlocksTask } from './encode-blocks.js';
import { shortFile } from './file-access.js';
import type { FileRange } from './file-range.js';
import { FLOAT_BYTES } from './float-type.js';
import type { WorkerResults, WorkerTask } from './kernel-worker.js';
import { PIECE_BYTES, ROW_UNIT } from './limits.js';
import type { OpenFiles, SizedFile, WantedFile } from './open-files.js';
import type { PieceErrors } from './quantize-piece.js';
import type { QuantizationError, QuantizeRowsTask } from './quantize-rows.js';
import { runPieces } from './run-pieces.js';
import type { ScatterRowsTask } from './scatter-rows.js';
import type { StopSignals } from './stop-signals.js';

/*
 * How each task of a pool is divided into pieces of about PIECE_BYTES, which worker threads take one by
 * one, and how their results are put together. All check the task first (KernelTaskError) and throw
 * KernelFileError for files that are missing or too short.
 */

/** What pieces are run on. */
export interface PieceWorkers {
  readonly files: OpenFiles;
  /** Pieces of one task that wait or run at once. */
  readonly width: number;
  run<Kind extends WorkerTask['kind']>(
    task: WorkerTask & { readonly kind: Kind },
  ): Promise<WorkerResults[Kind]>;
}

/** @returns the error of the whole weight, whose sums do not depend on how it was divided */
export async function quantizeInPieces(
  workers: PieceWorkers,
  task: QuantizeRowsTask,
  stop: StopSignals,
): Promise<QuantizationError> {
  checkQuantizeTask(task);
  const wanted = {
    source: toRead(task.source),
    codes: toWrite(task.codes),
    scales: toWrite(task.scales),
    zeroPoints: task.zeroPoints && toWrite(task.zeroPoints),
  };
  const unitBytes = task.columns * FLOAT_BYTES[task.sourceType] * ROW_UNIT;
  const pieceRows = Math.max(1, Math.floor(PIECE_BYTES / unitBytes)) * ROW_UNIT;
  return workers.files.with(wanted, async (files) => {
    checkSize(files.source, task.source);
    const run = (firstRow: number, rows: number) =>
      workers.run({ kind: 'quantize', task, ...files, firstRow, rows });
    return sumErrors(await eachPiece(workers, stop, task.rows, pieceRows, run));
  });
}

/** Rounds weights to codes, some rows of the target a piece. */
export async function encodeInPieces(
  workers: PieceWorkers,
  task: EncodeBlocksTask,
  stop: StopSignals,
): Promise<void> {
  checkBlocksTask(task);
  const wanted: Readonly<Record<string, WantedFile>> = {
    target: toWrite(task.codes),
    ...Object.fromEntries(task.sources.map(({ range }, index) => [String(index), toRead(range)])),
  };
  const rowBytes = task.columns * FLOAT_BYTES.F32 * task.sources.length;
  await workers.files.with(wanted, async (files) => {
    const target = opened(files, 'target');
    const sources = task.sources.map(({ range }, index) => {
      const file = opened(files, String(index));
      checkSize(file, range);
      return file;
    });
    await eachPiece(workers, stop, task.rows, rowsOfPiece(rowBytes), (firstRow, rows) =>
      workers.run({ kind: 'encode-blocks', task, sources, target, firstRow, rows }),
    );
  });
}

/** @returns the first element that is not finite, counted from the start of the range, if that was to be checked */
export async function copyInPieces(
  workers: PieceWorkers,
  task: CopyRangeTask,
  stop: StopSignals,
): Promise<CopyRangeResult> {
  checkCopyTask(task);
  const { source, target, checkFinite } = task;
  const wanted = { source: toRead(source), target: toWrite(target) };
  return workers.files.with(wanted, async (files) => {
    checkSize(files.source, source);
    const run = (first: number, length: number) =>
      workers.run({
        kind: 'copy',
        ...files,
        sourceOffset: source.offset + first,
        targetOffset: target.offset + first,
        length,
        checkFinite,
      });
    const pieces = await eachPiece(workers, stop, source.length, PIECE_BYTES, run);
    return firstNonFinite(pieces, checkFinite);
  });
}

/** Hands out some rows of the source a piece, each to the targets that want any of them. */
export async function scatterInPieces(
  workers: PieceWorkers,
  task: ScatterRowsTask,
  stop: StopSignals,
): Promise<void> {
  checkScatterTask(task);
  const { source, rowBytes } = task;
  const paths = [...new Set(task.targets.map(({ path }) => path))];
  const wanted: Readonly<Record<string, WantedFile>> = {
    source: toRead(source),
    ...Object.fromEntries(
      paths.map((path, index) => [String(index), { path, use: 'write' } as const]),
    ),
  };
  await workers.files.with(wanted, async (files) => {
    const from = opened(files, 'source');
    checkSize(from, source);
    const targets = task.targets.map(({ path, ...block }) => ({
      ...block,
      file: opened(files, String(paths.indexOf(path))),
    }));
    await eachPiece(workers, stop, task.rows, rowsOfPiece(rowBytes), (firstRow, rows) =>
      workers.run({
        kind: 'scatter',
        ...{ source: from, sourceOffset: source.offset, rowBytes, firstRow, rows },
        targets: targets.filter(
          (target) => target.firstRow < firstRow + rows && firstRow < target.firstRow + target.rows,
        ),
      }),
    );
  });
}

/**
 * Runs a task piece by piece.
 * @param total rows or bytes of the task
 * @param most of them in one piece; the last piece may have fewer
 * @returns what the pieces gave, in their order
 */
function eachPiece<Result>(
  { width }: PieceWorkers,
  stop: StopSignals,
  total: number,
  most: number,
  run: (first: number, count: number) => Promise<Result>,
): Promise<Result[]> {
  const piece = (index: number): Promise<Result> =>
    run(index * most, Math.min(most, total - index * most));
  return runPieces(Math.ceil(total / most), width, piece, stop);
}

function rowsOfPiece(rowBytes: number): number {
  return Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
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
