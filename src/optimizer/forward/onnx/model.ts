/** The parts of the ONNX format that the graphs here are made of.
 * Source: onnx.proto of the ONNX specification. */

/** Element types, by their number in `TensorProto.DataType`. */
export const ELEMENT_TYPES = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float8e4m3fn: 17,
} as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A size, or the name of one that is known only when the graph runs. */
export type Dimension = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[];
}

export interface Initializer {
  readonly name: string;
  readonly type: 'float32' | 'int64';
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** An initializer whose bytes are in a file beside the graph's. */
export interface ExternalInitializer {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Name of the file, from the graph's own folder. */
  readonly file: string;
  /** Its first byte there, and how many there are. */
  readonly offset: number;
  readonly length: number;
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'graph'; readonly value: Graph };

export interface Node {
  readonly type: string;
  /** Whose operator it is; ONNX's own if left out. */
  readonly domain?: string;
  /** An empty name stands for an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  readonly external?: readonly ExternalInitializer[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}
