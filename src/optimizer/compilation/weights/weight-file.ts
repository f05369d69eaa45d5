import type { GraphBuilder, Value } from '../../forward/onnx/graph-builder.js';
import type { ElementType } from '../../forward/onnx/model.js';
import type { PlacedTensor } from './planned-weight.js';

/** A page: what a reader that maps the file needs tensors to begin at. */
const PAGE_BYTES = 4096;

/** Smaller tensors are not worth a page; they begin at whole cache lines. */
const LINE_BYTES = 64;

/** Lays out the file of a graph's weights, tensor after tensor, as the graph is built. */
export class WeightFile {
  /** From the graph's own folder. */
  readonly name: string;
  #size = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Finds a place for a tensor. */
  place(name: string, type: ElementType, shape: readonly number[], length: number): PlacedTensor {
    const unit = length >= PAGE_BYTES ? PAGE_BYTES : LINE_BYTES;
    const offset = Math.ceil(this.#size / unit) * unit;
    this.#size = offset + length;
    return { name, type, shape, offset, length };
  }

  /** Makes a tensor an initializer of the graph. */
  declare(graph: GraphBuilder, tensor: PlacedTensor): Value {
    return graph.external({ ...tensor, file: this.name });
  }
}
