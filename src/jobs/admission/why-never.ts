import type { Resources } from './resources.js';

/**
 * Why a job can never run on a machine, with the numbers; undefined where it can.
 * @param capacity with the size of the whole disk
 */
export function whyNever(needs: Resources, capacity: Resources): string | undefined {
  const lacking = [
    lack('memory', needs.memoryBytes, capacity.memoryBytes),
    lack('temporary disk space', needs.diskBytes, capacity.diskBytes),
  ].flatMap((text) => text ?? []);
  if (lacking.length === 0) return undefined;
  return `The job can never run on this machine: ${lacking.join(' and ')}. Use a machine that has it, or ask for less: a technique without calibration, OPTION_EVALUATE=false, or OPTION_COMPILE_TARGET=portable.`;
}

function lack(what: string, needed: number, there: number): string | undefined {
  if (needed <= there) return undefined;
  return `it needs about ${gigabytes(needed)} of ${what}, and all jobs together may take ${gigabytes(there)}`;
}

/** In GB (10⁹ bytes), with enough digits that what is more looks like more. */
function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 10e9 ? 3 : 1)} GB`;
}
