import type { CopyRangeTask } from './copy-range.js';
import { KernelTaskError } from './errors.js';
import type { FileRange } from './file-range.js';
import { FLOAT_BYTES } from './float-type.js';
import { LONGEST_ROWS, MAX_ROW_BYTES } from './limits.js';
import type { QuantizeRowsTask } from './quantize-rows.js';
import {
  codesPerUnit,
  type EncodedTensor,
  encodedLayout,
  type WeightScheme,
} from './weight-scheme.js';

/** Groups are whole vectors of 16-bit elements; codes of a group then begin at a whole word. */
const GROUP_UNIT = 8;

/** Throws KernelTaskError unless the task's sizes agree and its scheme has a layout. */
export function checkQuantizeTask(task: QuantizeRowsTask): void {
  const { name, rows, columns, scheme, scaleType, sourceType } = task;
  const refuse = (problem: string): never => {
    throw new KernelTaskError(name, problem);
  };
  const sizes = [rows, columns, rows * columns * FLOAT_BYTES.F32];
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0)) {
    refuse(`shape [${rows}, ${columns}] is not that of a weight.`);
  }
  const rowBytes = columns * FLOAT_BYTES[sourceType];
  const together = task.zeroPoints === undefined ? 1 : codesPerUnit(scheme.bits);
  const most = (MAX_ROW_BYTES * LONGEST_ROWS) / Math.max(LONGEST_ROWS, together);
  if (rowBytes > most) {
    refuse(`its rows have ${rowBytes} bytes, and ${most} is the most that is supported.`);
  }
  const problem = schemeProblem(scheme, columns);
  if (problem !== undefined) refuse(problem);

  const layout = encodedLayout(scheme, rows, columns, scaleType);
  const expect = (part: string, range: FileRange | undefined, bytes: number | undefined): void => {
    if (range?.length === bytes) return;
    refuse(`its ${part} take ${bytes ?? 0} bytes, and the range given has ${range?.length ?? 0}.`);
  };
  const bytesOf = (tensor: EncodedTensor | undefined): number | undefined => tensor?.bytes;
  expect('weights', task.source, rows * rowBytes);
  expect('codes', task.codes, bytesOf(layout.codes));
  expect('scales', task.scales, bytesOf(layout.scales));
  expect('zero points', task.zeroPoints, bytesOf(layout.zeroPoints));
  checkOffsets(name, [task.source, task.codes, task.scales, task.zeroPoints]);
}

function schemeProblem(scheme: WeightScheme, columns: number): string | undefined {
  if (scheme.type === 'float') return undefined;
  const { groupSize } = scheme;
  if (scheme.strategy === 'group') {
    if (groupSize === undefined || groupSize < GROUP_UNIT || groupSize % GROUP_UNIT !== 0) {
      return `group size ${groupSize} is not a multiple of ${GROUP_UNIT}.`;
    }
    if (columns % groupSize !== 0) {
      return `group size ${groupSize} does not divide its ${columns} columns.`;
    }
  } else if (groupSize !== undefined) {
    return `a scheme with one scale a channel has no group size, and ${groupSize} was given.`;
  }
  if (!scheme.packed && (scheme.bits !== 8 || !scheme.symmetric)) {
    return 'only symmetric 8-bit codes can be stored unpacked.';
  }
  return undefined;
}

/** Throws KernelTaskError unless source and target agree. */
export function checkCopyTask({ name, source, target, checkFinite }: CopyRangeTask): void {
  if (source.length !== target.length) {
    throw new KernelTaskError(
      name,
      `cannot copy ${source.length} bytes into a range of ${target.length}.`,
    );
  }
  if (checkFinite !== undefined && source.length % FLOAT_BYTES[checkFinite] !== 0) {
    throw new KernelTaskError(
      name,
      `${source.length} bytes are not whole ${checkFinite} elements.`,
    );
  }
  checkOffsets(name, [source, target]);
}

function checkOffsets(name: string, ranges: readonly (FileRange | undefined)[]): void {
  for (const range of ranges) {
    if (range === undefined) continue;
    const { offset, length } = range;
    if (offset < 0 || length < 0 || !Number.isSafeInteger(offset + length)) {
      throw new KernelTaskError(
        name,
        `bytes ${offset} to ${offset + length} of ${range.path} are not a range of a file.`,
      );
    }
  }
}
