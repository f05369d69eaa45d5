import { encodeModel, RUNTIME_DOMAIN } from './encode.js';
import type {
  Attribute,
  Dimension,
  ElementType,
  ExternalInitializer,
  Graph,
  Initializer,
  Node,
  ValueInfo,
} from './model.js';

/** A value inside a graph, by its name. */
export type Value = string & { readonly __value: unique symbol };

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | Graph
  | { readonly float: number };

/** Left out in a list of inputs. */
export const NONE = '' as Value;

/** Puts a graph together node by node. Names are made up where the caller gives none, so that a graph
 * built twice from the same description is the same to the byte. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #initializers: Initializer[] = [];
  readonly #external: ExternalInitializer[] = [];
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #prefix: string;
  #count = 0;

  /** @param prefix of made-up names; a subgraph's must differ from its parent's. */
  constructor(prefix = 'v') {
    this.#prefix = prefix;
  }

  input(name: string, shape: readonly Dimension[], type: ElementType = 'float32'): Value {
    this.#inputs.push({ name, type, shape });
    return name as Value;
  }

  output(name: string, value: Value, shape: readonly Dimension[]): void {
    this.#nodes.push({ type: 'Identity', inputs: [value], outputs: [name], attributes: {} });
    this.#outputs.push({ name, type: 'float32', shape });
  }

  /** Makes a value that a node gives under this very name an output of the graph. */
  named(name: string, shape: readonly Dimension[], type: ElementType = 'float32'): Value {
    this.#outputs.push({ name, type, shape });
    return name as Value;
  }

  /** A weight in a file beside the graph's. */
  external(initializer: ExternalInitializer): Value {
    this.#external.push(initializer);
    return initializer.name as Value;
  }

  /** A node of an operator that ONNX Runtime has beside ONNX's.
   * @param outputs how many there are, or their names; an empty name leaves one out. */
  fused(
    type: string,
    inputs: readonly Value[],
    outputs: number | readonly Value[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): readonly Value[] {
    return this.#node(type, inputs, outputs, attributes, RUNTIME_DOMAIN);
  }

  /** A node with one output. */
  op(
    type: string,
    inputs: readonly Value[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): Value {
    const [output] = this.ops(type, inputs, 1, attributes);
    if (output === undefined) throw new Error('a node of one output has none');
    return output;
  }

  /** A node with several outputs.
   * @param outputs how many there are, or their names. */
  ops(
    type: string,
    inputs: readonly Value[],
    outputs: number | readonly Value[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): readonly Value[] {
    return this.#node(type, inputs, outputs, attributes);
  }

  #node(
    type: string,
    inputs: readonly Value[],
    outputs: number | readonly Value[],
    attributes: Readonly<Record<string, AttributeValue>>,
    domain?: string,
  ): readonly Value[] {
    const names =
      typeof outputs === 'number'
        ? Array.from({ length: outputs }, () => this.#newName())
        : outputs.map((name) => name);
    this.#nodes.push({
      type,
      ...(domain === undefined ? {} : { domain }),
      inputs,
      outputs: names,
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)]),
      ),
    });
    return names;
  }

  /** A name that no other value of the graph has, for outputs some of which are left out. */
  fresh(): Value {
    return this.#newName();
  }

  scalar(value: number): Value {
    return this.#constant({ type: 'float32', shape: [], values: [value] });
  }

  /** An integer without dimensions. */
  integer(value: number): Value {
    return this.#constant({ type: 'int64', shape: [], values: [value] });
  }

  ints(values: readonly number[]): Value {
    return this.#constant({ type: 'int64', shape: [values.length], values });
  }

  /** The graph as the body of a node that holds one. */
  graph(name: string): Graph {
    return {
      name,
      nodes: this.#nodes,
      initializers: this.#initializers,
      external: this.#external,
      inputs: this.#inputs,
      outputs: this.#outputs,
    };
  }

  /** The bytes of an ONNX file. */
  build(name: string): Uint8Array {
    return encodeModel(this.graph(name));
  }

  #constant(constant: Omit<Initializer, 'name'>): Value {
    const key = JSON.stringify(constant);
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#newName();
    this.#initializers.push({ ...constant, name });
    this.#constants.set(key, name);
    return name;
  }

  #newName(): Value {
    this.#count += 1;
    return `${this.#prefix}${this.#count}` as Value;
  }
}

function toAttribute(value: AttributeValue): Attribute {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if (Array.isArray(value)) return { kind: 'ints', value };
  if ('float' in value) return { kind: 'float', value: value.float };
  return { kind: 'graph', value: value as Graph };
}
