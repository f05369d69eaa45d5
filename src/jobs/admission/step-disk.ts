import { DEFAULT_MEMORY_BYTES } from '../../optimizer/forward/activations.js';
import {
  DISK_SHARE,
  KEPT_MEMORY_BYTES,
  MAX_KEPT_BYTES,
} from '../../optimizer/forward/stages/kept-inputs.js';
import type { CalibrationWork } from './calibration-work.js';
import type { ModelSize } from './model-size.js';

/** Temporary space that a step's samples take on the disk while they go through the model: what the
 * optimizer does not hold in memory is in files without names in the step's folder. */

const F32 = Float32Array.BYTES_PER_ELEMENT;

/** Samples of so many tokens in so many models side by side, beyond what memory is used for. */
export function activationsDisk({ hidden, experts }: ModelSize, tokens: number, lanes = 1): number {
  const bytes = tokens * hidden * F32;
  // Before experts all tokens are routed, and their inputs kept: of one of the models at a time.
  return bytes <= DEFAULT_MEMORY_BYTES ? 0 : bytes * (lanes + (experts > 1 ? 1 : 0));
}

/**
 * Inputs of the last layer of a stage, which are kept where there is room for them.
 *
 * @param freeBytes of the disk: where they would take too much of it, they are computed again
 */
export function keptDisk(
  model: ModelSize,
  tokens: number,
  { inTurn, beside }: CalibrationWork,
  freeBytes: number,
): number {
  if (!inTurn) return 0;
  const { intermediate, experts, heads, headSize } = model;
  // Mixtures of experts leave nothing.
  const widths = [heads * headSize, ...(experts > 1 ? [] : [intermediate])];
  const most = Math.min(MAX_KEPT_BYTES, freeBytes * DISK_SHARE);
  const kept = widths
    .map((width) => tokens * width * F32)
    .filter((bytes) => bytes > KEPT_MEMORY_BYTES && bytes <= most);
  return Math.max(0, ...kept) * (beside ? 2 : 1);
}
