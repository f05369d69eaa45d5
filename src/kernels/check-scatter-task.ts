import { KernelTaskError } from './errors.js';
import { MAX_ROW_BYTES } from './limits.js';
import { type ScatterRowsTask, type ScatterTarget, targetRowBytes } from './scatter-rows.js';

/** Throws KernelTaskError unless the task's blocks lie within its source. */
export function checkScatterTask(task: ScatterRowsTask): void {
  const { name, source, rows, rowBytes, targets } = task;
  const refuse = (problem: string): never => {
    throw new KernelTaskError(name, problem);
  };
  if (!isCount(rows) || !isCount(rowBytes) || rows * rowBytes !== source.length) {
    refuse(`${source.length} bytes are not ${rows} rows of ${rowBytes}.`);
  }
  if (rowBytes > MAX_ROW_BYTES) {
    refuse(`its rows have ${rowBytes} bytes, and ${MAX_ROW_BYTES} is the most that is supported.`);
  }
  if (!isOffset(source.offset)) refuse(`${source.offset} is not a place in ${source.path}.`);
  for (const target of targets) {
    if (!fits(target, rows, rowBytes)) {
      refuse(
        `a block for ${target.path} does not lie within its ${rows} rows of ${rowBytes} bytes.`,
      );
    }
  }
}

function fits(target: ScatterTarget, rows: number, rowBytes: number): boolean {
  const { offset, firstRow, columns } = target;
  const end = offset + target.rows * targetRowBytes(target);
  let column = 0;
  for (const { first, length } of columns) {
    if (!isOffset(first) || !isCount(length) || first < column) return false;
    column = first + length;
  }
  return (
    isOffset(offset) &&
    isOffset(firstRow) &&
    isCount(target.rows) &&
    firstRow + target.rows <= rows &&
    columns.length > 0 &&
    column <= rowBytes &&
    Number.isSafeInteger(end)
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
