/**
 * A change to a module outside the family, which makes up for scaled input channels.
 *
 * - `norm`: its weight (and bias) become these values, as stored.
 * - `rows`: row `r` of its weight, and element `r` of its bias, are multiplied by `factors[r]`.
 * - `columns`: column `c` of its weight is multiplied by `factors[c]`.
 */
export type Fold =
  | {
      readonly kind: 'norm';
      readonly module: string;
      readonly weight: Float32Array;
      readonly bias?: Float32Array;
    }
  | {
      readonly kind: 'rows' | 'columns';
      readonly module: string;
      readonly factors: Float32Array;
    };
