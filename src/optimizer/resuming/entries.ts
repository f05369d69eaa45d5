import { isJsonObject, type JsonValue } from '../../checkpoint/json.js';
import type { QuantizationError } from '../../kernels/index.js';
import type { CalibratedLayer } from '../calibration/calibrated-layer.js';
import type { BlockStage } from '../forward/forward-pass.js';

/** A tensor of the source that was quantized, copied to its place, or handed to its ranks; or one of a
 * compiled graph that was written. */
export interface FinishedTensor {
  readonly kind: 'tensor';
  readonly tensor: string;
  /** What quantizing it cost; null where it was not. */
  readonly error: QuantizationError | null;
  readonly seconds: number;
}

/** A layer of a finished stage: what is known of it, with its name instead of its plan. */
export type FinishedLayer = Omit<CalibratedLayer, 'layer'> & { readonly module: string };

/** A stage of a block whose layers a calibrated technique quantized: it is finished as a whole, since
 * its layers may share scales. */
export interface FinishedStage {
  readonly kind: 'stage';
  /** Index of the block. */
  readonly block: number;
  readonly stage: BlockStage;
  readonly layers: readonly FinishedLayer[];
  /** Tensors other than the layers' weights that took on scales. */
  readonly changed: readonly string[];
  readonly notes: readonly string[];
}

export type FinishedEntry = FinishedTensor | FinishedStage;

/** An entry as it was written down; undefined for anything else. */
export function readEntry(value: JsonValue): FinishedEntry | undefined {
  if (!isJsonObject(value)) return undefined;
  const { kind, tensor, seconds, error, block, stage, layers, changed, notes } = value;
  const isTensor =
    kind === 'tensor' &&
    typeof tensor === 'string' &&
    typeof seconds === 'number' &&
    (error === null || isJsonObject(error));
  const isStage =
    kind === 'stage' &&
    typeof block === 'number' &&
    typeof stage === 'string' &&
    Array.isArray(layers) &&
    Array.isArray(changed) &&
    Array.isArray(notes);
  return isTensor || isStage ? (value as unknown as FinishedEntry) : undefined;
}
