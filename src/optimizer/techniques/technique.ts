import type { FloatType, QuantizationError } from '../../kernels/index.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import type { EncodedWeight } from './encoded-weight.js';
import type { Fold } from './fold.js';
import type { InputStatistics } from './input-statistics.js';

/** A linear layer's weight, `[rows = outputs, columns = inputs]`, row after row. Techniques read it and
 * never write to it. */
export interface LinearWeight {
  /** Module name, for notes and errors. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/**
 * The module whose output is a family's input, where scales of the input's channels can be moved into
 * it: multiplying column `c` of the family's weights by `s[c]` and dividing the preceding module's
 * output `c` by the same changes nothing in the model.
 */
export type Preceding =
  | {
      readonly kind: 'norm';
      readonly name: string;
      /** As stored. */
      readonly weight: Float32Array;
      /** Of norms with a bias, which is scaled along. */
      readonly bias?: Float32Array;
      /** Whether the norm multiplies by `1 + weight`. */
      readonly addsOne: boolean;
      /** Type in which the scaled weight will be stored: scales are chosen so that storing it adds no
       * error. */
      readonly storedAs: FloatType;
      /** Further linear layers on the same input that are not in this family, such as a router: their
       * columns have to be multiplied too. */
      readonly alsoFeeds: readonly string[];
    }
  | {
      readonly kind: 'linear';
      readonly name: string;
      readonly rows: number;
      /** For each input channel of the family the row of the preceding weight that it comes from; with
       * grouped-query attention several channels come from one. The identity if undefined. */
      readonly rowOf?: Uint32Array;
    };

/** One family: the linear layers of a decoder block that see the same input (q, k and v; gate and up),
 * or a single one. */
export interface Family {
  /** For notes and errors. */
  readonly name: string;
  readonly weights: readonly LinearWeight[];
  readonly inputs: InputStatistics;
  /** Undefined where nothing can take scales. */
  readonly preceding?: Preceding;
}

export interface TechniqueContext {
  readonly algebra: LinearAlgebra;
  readonly signal: AbortSignal;
}

/** Scales of a family's input channels. */
export interface Scaling {
  /** What column `c` of every weight of the family is to be multiplied by; `scaleFamily` does it. */
  readonly factors: Float32Array;
  /** Changes to other modules that go with it. */
  readonly folds: readonly Fold[];
  /** What was met and done, in sentences. */
  readonly notes: readonly string[];
}

/** What encoding a layer cost. */
export interface LayerError {
  /** Of its output on the calibration inputs: `‖(W − Ŵ)X‖_F / ‖WX‖_F`, from the Gram matrix and so with
   * even tokens where the technique takes them; 0 where the layer's output is all zero. */
  readonly output: number;
  /** Of its weight, `W − Ŵ`. */
  readonly weight: QuantizationError;
}

export interface EncodedLayer {
  readonly name: string;
  readonly weight: EncodedWeight;
  /** What the codes stand for. */
  readonly decoded: Matrix;
  readonly error: LayerError;
}

/** What became of a family. Layers stand in the order of `Family.weights`. */
export interface EncodedFamily {
  readonly layers: readonly EncodedLayer[];
  /** Dead channels, damping that was raised, constant groups and the like, in sentences. */
  readonly notes: readonly string[];
}

/**
 * A calibrated technique. The pipeline takes a decoder block and, family by family,
 *
 * 1. calls `scale` where the technique has it, with statistics of the block as it is (with blocks
 *    before it already quantized), and applies the factors and folds to the block's weights;
 * 2. then calls `encode` with the scaled weights and statistics of the scaled block, gathered after the
 *    families before this one were encoded where the technique is `sequential`.
 *
 * Where nothing else changed between the two, `scaleFamily` gives the family with both weights and
 * statistics scaled.
 *
 * Both throw the signal's reason when aborted, and `TechniqueError` for input that makes no sense.
 */
export interface Technique {
  readonly name: string;
  /** Whether each family makes up for the errors of those before it in its stage, and so wants
   * statistics of what they have become. */
  readonly sequential: boolean;
  /** Whether `InputStatistics.original` is of use. */
  readonly aimsAtOriginal: boolean;
  /**
   * Whether every token counts the same in the sums: brought to the root mean square 1 first.
   *
   * A few tokens, the first of a text above all, have inputs hundreds of times larger than the others,
   * and in plain sums decide nearly alone which errors matter; but what a layer adds to such a token is
   * held against a residual stream as large.
   */
  readonly evenTokens: boolean;
  /** Whether it looks at the magnitudes among the statistics. */
  readonly magnitudes: boolean;
  /** Undefined where nothing before the family can take scales. */
  scale?(family: Family, context: TechniqueContext): Promise<Scaling | undefined>;
  encode(family: Family, context: TechniqueContext): Promise<EncodedFamily>;
}
