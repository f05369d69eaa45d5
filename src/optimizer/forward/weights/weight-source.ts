import type { InputRoundingKind } from '../graphs/linear.js';

/** How the input of a quantized layer is rounded when the model runs. */
export interface InputRounding {
  readonly kind: InputRoundingKind;
  /** Of `float8-tensor`. */
  readonly scale?: number;
}

/** `[rows = outputs, columns = inputs]`, row after row. */
export interface WeightMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** The weights of a model as f32, whatever they are stored as. All methods throw CheckpointError for
 * a tensor that is not there or of a type that holds no weights. */
export interface WeightSource {
  has(tensor: string): boolean;
  /** A whole tensor, whatever its shape. */
  tensor(name: string): Promise<Float32Array>;
  /** The weight of a linear module. */
  matrix(module: string): Promise<WeightMatrix>;
  /** Consecutive rows of a module's weight. */
  rows(module: string, first: number, count: number): Promise<WeightMatrix>;
  /** Undefined where the module's input is left as it is. */
  rounding(module: string): Promise<InputRounding | undefined>;
}
