import type { Rotary } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { CodeForm } from '../../../kernels/index.js';
import type { ElementType } from '../../forward/onnx/model.js';
import type { Matrix } from './matrix.js';

/** Where a tensor of the graph lies in the file of weights. */
export interface PlacedTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** What the tensors of a graph are made of. */
export type PlannedWeight =
  /** A vector, or several one after the other: norms and biases. */
  | {
      readonly kind: 'vector';
      readonly target: PlacedTensor;
      readonly tensors: readonly {
        readonly name: string;
        readonly first: number;
        readonly count: number;
      }[];
      /** Added to every element. */
      readonly added: number;
    }
  | { readonly kind: 'matrix'; readonly target: PlacedTensor; readonly matrix: Matrix }
  /** Rounded to codes here, or stored as codes in the checkpoint, which are kept. */
  | {
      readonly kind: 'codes';
      readonly codes: PlacedTensor;
      readonly scales: PlacedTensor;
      readonly zeroPoints: PlacedTensor | undefined;
      readonly matrix: Matrix;
      readonly form: CodeForm;
      /** Whether the checkpoint has these very codes. */
      readonly kept: boolean;
    }
  /** The order in which a layer's kept codes want the columns of its input. */
  | { readonly kind: 'indices'; readonly target: PlacedTensor; readonly values: Int32Array }
  /** Cosines or sines of a rotary embedding, the tables of several lengths one after the other. */
  | {
      readonly kind: 'rotation';
      readonly target: PlacedTensor;
      readonly function: 'cos' | 'sin';
      readonly rotary: Rotary;
      /** Rows of each table, and the length of sequences that it is for. */
      readonly tables: readonly { readonly rows: number; readonly positions: number }[];
    };

/** A name that no other weight of the graph has. */
export function nameOfWeight(weight: PlannedWeight): string {
  return weight.kind === 'codes' ? weight.codes.name : weight.target.name;
}

/** Bytes of all that a weight becomes. */
export function bytesOfWeight(weight: PlannedWeight): number {
  if (weight.kind !== 'codes') return weight.target.length;
  return weight.codes.length + weight.scales.length + (weight.zeroPoints?.length ?? 0);
}
