import type { RequestedScheme } from '../../optimizer/settings/requested-scheme.js';

/** What a calibrated technique holds beside what calibration sums up for every technique. */
export interface CalibrationWork {
  /** Working copies of the widest Gram matrix. */
  readonly gramCopies: number;
  /** Whether families are scaled: their Gram matrices, as they are then, are held beside the others. */
  readonly scales: boolean;
  /** Whether scales are searched on rows of the weights. */
  readonly searches: boolean;
  /** Whether a layer is calibrated when those before it are done: then the inputs of a stage's last layer
   * are kept from its calibration until the samples move on. */
  readonly inTurn: boolean;
  /** Whether the original model runs beside. */
  readonly beside: boolean;
}

/** The tiles that a Gram matrix is joined from. */
const TILES = 1;

/** The matrix damped, and its factor. */
const SOLVING = 2;

/** Half panels of the matrix, while scales are searched. */
const PANELS = 0.5;

const PLAIN: CalibrationWork = {
  gramCopies: TILES,
  scales: false,
  searches: false,
  inTurn: false,
  beside: false,
};
const COMPENSATING = { ...PLAIN, gramCopies: TILES + SOLVING, inTurn: true };

/** What the technique that a scheme asks for holds. */
export function calibrationWork(scheme: RequestedScheme): CalibrationWork {
  switch (scheme.technique) {
    case 'awq':
      return { ...PLAIN, gramCopies: TILES + PANELS, scales: true, searches: true };
    case 'smoothquant':
      return { ...PLAIN, scales: true };
    case 'gptq':
      return COMPENSATING;
    case 'gptaq':
      // Panels and factors do not exist at the same time.
      return { ...COMPENSATING, scales: scheme.scaling, searches: scheme.scaling, beside: true };
    case 'fp8':
    case 'int8':
    case 'rtn':
      return PLAIN;
  }
}
