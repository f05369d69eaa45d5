import { blocksOf, codeRowBytes, zeroPointRowBytes } from './code-form.js';
import type { EncodeBlocksTask } from './encode-blocks.js';
import { SCALE_BYTES } from './encode-blocks.js';
import { KernelTaskError } from './errors.js';
import type { FileRange } from './file-range.js';
import { FLOAT_BYTES } from './float-type.js';
import { LONGEST_ROWS, MAX_ROW_BYTES } from './limits.js';

const LEAST_BLOCK = 16;

/** Throws KernelTaskError unless the task's sizes agree. */
export function checkBlocksTask(task: EncodeBlocksTask): void {
  const { sources, rows, columns, form } = task;
  const [first] = sources;
  const name = first?.name ?? 'without a source';
  const refuse = (problem: string): never => {
    throw new KernelTaskError(name, problem);
  };
  if (first === undefined || sources.length > LONGEST_ROWS) {
    refuse(`${sources.length} weights cannot take turns; 1 to ${LONGEST_ROWS} can.`);
  }
  if (![rows, columns, rows * columns].every((size) => Number.isSafeInteger(size) && size > 0)) {
    refuse(`shape [${rows}, ${columns}] is not that of a weight.`);
  }
  if (form.blockSize < LEAST_BLOCK || !Number.isInteger(Math.log2(form.blockSize))) {
    refuse(`blocks of ${form.blockSize} columns are not a power of two from ${LEAST_BLOCK} on.`);
  }
  const written = rows * sources.length;
  const zeroPoints = form.zeroPoints ? written * zeroPointRowBytes(form, columns) : undefined;
  const sizes: readonly (readonly [string, FileRange | undefined, number | undefined])[] = [
    ...sources.map(
      ({ range, type }) => ['weights', range, rows * columns * FLOAT_BYTES[type]] as const,
    ),
    ['codes', task.codes, written * codeRowBytes(form, columns)],
    ['scales', task.scales, written * blocksOf(form, columns) * SCALE_BYTES],
    ['zero points', task.zeroPoints, zeroPoints],
  ];
  for (const [part, range, bytes] of sizes) {
    if (range?.length !== bytes) {
      refuse(
        `its ${part} take ${bytes ?? 0} bytes, and the range given has ${range?.length ?? 0}.`,
      );
    }
    if (range !== undefined && !(range.offset >= 0 && Number.isSafeInteger(range.offset))) {
      refuse(`byte ${range.offset} of ${range.path} is no place in a file.`);
    }
  }
  if (
    task.scales.path !== task.codes.path ||
    (task.zeroPoints ?? task.codes).path !== task.codes.path
  ) {
    refuse('its codes, scales and zero points are not in one file.');
  }
  // As f32, which is what the kernel widens a row to, whole blocks.
  const rowBytes = blocksOf(form, columns) * form.blockSize * FLOAT_BYTES.F32;
  if (rowBytes > MAX_ROW_BYTES) {
    refuse(`its rows have ${rowBytes} bytes, and ${MAX_ROW_BYTES} is the most that is supported.`);
  }
}
