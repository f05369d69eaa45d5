import type { QuantizedLayer } from '../quantization/execute.js';
import type { WeightDigest } from './digest-weight.js';

/** A layer that a calibrated technique quantized. */
export interface CalibratedLayer extends QuantizedLayer {
  readonly outputError: number;
  /** Of what its codes decode to. */
  readonly digest: WeightDigest;
}
