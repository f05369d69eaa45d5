import type { Rotary } from '../../../checkpoint/architectures/forward/forward-model.js';
import {
  blocksOf,
  type CodeForm,
  codeRowBytes,
  zeroPointRowBytes,
} from '../../../kernels/index.js';
import type { GraphBuilder, Value } from '../../forward/onnx/graph-builder.js';
import { ELEMENT_BYTES, type FloatElement } from '../graph/element.js';
import type { Matrix } from './matrix.js';
import type { CodedForm } from './module-form.js';
import type { PlacedTensor, PlannedWeight } from './planned-weight.js';
import type { WeightFile } from './weight-file.js';

/** A part of a stored vector. */
export interface VectorPart {
  readonly name: string;
  readonly first: number;
  readonly count: number;
}

/** Values of the graph that hold a weight's codes. */
export interface CodeValues {
  readonly codes: Value;
  readonly scales: Value;
  readonly zeroPoints: Value | undefined;
}

/** Gathers the weights that a graph wants while it is built: gives each a place in the file, and plans how
 * its bytes come about. What is asked for twice is stored once. */
export class WeightCollector {
  readonly #graph: GraphBuilder;
  readonly #file: WeightFile;
  readonly #weights: PlannedWeight[] = [];
  readonly #declared = new Map<string, Value>();
  readonly #codes = new Map<string, CodeValues>();

  constructor(graph: GraphBuilder, file: WeightFile) {
    this.#graph = graph;
    this.#file = file;
  }

  /** In the order of their places. */
  get weights(): readonly PlannedWeight[] {
    return this.#weights;
  }

  /** A vector of the elements of `parts`, one after the other, `added` to each. */
  vector(name: string, parts: readonly VectorPart[], element: FloatElement, added = 0): Value {
    return this.#once(name, () => {
      const count = parts.reduce((sum, part) => sum + part.count, 0);
      const target = this.#place(name, element, [count], count * ELEMENT_BYTES[element]);
      this.#weights.push({ kind: 'vector', target, tensors: parts, added });
      return target;
    });
  }

  /** @param shape of the tensor, where it has more dimensions than the matrix. */
  matrix(
    name: string,
    matrix: Matrix,
    element: FloatElement,
    shape: readonly number[] = [matrix.rows, matrix.columns],
  ): Value {
    return this.#once(name, () => {
      const length = matrix.rows * matrix.columns * ELEMENT_BYTES[element];
      const target = this.#place(name, element, shape, length);
      this.#weights.push({ kind: 'matrix', target, matrix });
      return target;
    });
  }

  /** @param shapes of the tensors, where they are not those of MatMulNBits. */
  codes(
    name: string,
    matrix: Matrix,
    { form, kept }: Pick<CodedForm, 'form' | 'kept'>,
    element: FloatElement,
    shapes: CodeShapes = matMulShapes(matrix, form),
  ): CodeValues {
    const known = this.#codes.get(name);
    if (known !== undefined) return known;
    const { rows, columns } = matrix;
    const blocks = blocksOf(form, columns);
    const codes = this.#place(
      `${name}.codes`,
      'uint8',
      shapes.codes,
      rows * codeRowBytes(form, columns),
    );
    const scales = this.#place(
      `${name}.scales`,
      element,
      shapes.scales,
      rows * blocks * ELEMENT_BYTES[element],
    );
    const zeroPoints = form.zeroPoints
      ? this.#place(
          `${name}.zero_points`,
          'uint8',
          shapes.zeroPoints,
          rows * zeroPointRowBytes(form, columns),
        )
      : undefined;
    this.#weights.push({ kind: 'codes', codes, scales, zeroPoints, matrix, form, kept });
    const values = {
      codes: this.#file.declare(this.#graph, codes),
      scales: this.#file.declare(this.#graph, scales),
      zeroPoints:
        zeroPoints === undefined ? undefined : this.#file.declare(this.#graph, zeroPoints),
    };
    this.#codes.set(name, values);
    return values;
  }

  /** Indices that are known when the graph is built. */
  indices(name: string, values: Int32Array): Value {
    return this.#once(name, () => {
      const target = this.#place(name, 'int32', [values.length], values.byteLength);
      this.#weights.push({ kind: 'indices', target, values });
      return target;
    });
  }

  /** Cosines or sines of rotary embeddings, `[positions of all tables, dimensions / 2]`. */
  rotation(
    name: string,
    turn: 'cos' | 'sin',
    rotary: Rotary,
    tables: readonly { readonly rows: number; readonly positions: number }[],
    element: FloatElement,
  ): Value {
    return this.#once(name, () => {
      const rows = tables.reduce((sum, table) => sum + table.rows, 0);
      const columns = rotary.dimensions / 2;
      const length = rows * columns * ELEMENT_BYTES[element];
      const target = this.#place(name, element, [rows, columns], length);
      this.#weights.push({ kind: 'rotation', target, function: turn, rotary, tables });
      return target;
    });
  }

  #place(
    name: string,
    type: PlacedTensor['type'],
    shape: readonly number[],
    length: number,
  ): PlacedTensor {
    return this.#file.place(name, type, shape, length);
  }

  #once(name: string, plan: () => PlacedTensor): Value {
    const known = this.#declared.get(name);
    if (known !== undefined) return known;
    const value = this.#file.declare(this.#graph, plan());
    this.#declared.set(name, value);
    return value;
  }
}

/** Shapes of the three tensors that codes are stored as. */
export interface CodeShapes {
  readonly codes: readonly number[];
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
}

function matMulShapes({ rows, columns }: Matrix, form: CodeForm): CodeShapes {
  const blocks = blocksOf(form, columns);
  return {
    codes: [rows, blocks, (form.blockSize * form.bits) / 8],
    scales: [rows, blocks],
    zeroPoints: [rows, zeroPointRowBytes(form, columns)],
  };
}

/** The shapes that the operators of mixtures want: experts first, codes of a row in one dimension. */
export function expertShapes(
  experts: number,
  { rows, columns }: Matrix,
  form: CodeForm,
): CodeShapes {
  const own = rows / experts;
  return {
    codes: [experts, own, codeRowBytes(form, columns)],
    scales: [experts, own, blocksOf(form, columns)],
    zeroPoints: [experts, own, zeroPointRowBytes(form, columns)],
  };
}
