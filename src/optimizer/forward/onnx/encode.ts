import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  type Attribute,
  ELEMENT_TYPES,
  type ExternalInitializer,
  type Graph,
  type Initializer,
  type Node,
  type ValueInfo,
} from './model.js';

/** Version of the file format; the one that came with {@link OPSET}. */
const IR_VERSION = 10;

/** Version of the operators: the first with RMSNormalization. */
const OPSET = 23;

/** Domain of the operators that ONNX Runtime has beside ONNX's. */
export const RUNTIME_DOMAIN = 'com.microsoft';

/** All of that domain are of this version. */
const RUNTIME_OPSET = 1;

/** `TensorProto.DataLocation`. */
const EXTERNAL = 1;

/** `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;

type Message = (writer: BinaryWriter) => void;

/** The graph as the bytes of an ONNX file. Field numbers are those of onnx.proto. */
export function encodeModel(graph: Graph): Uint8Array {
  const writer = new BinaryWriter();
  int(writer, 1, IR_VERSION);
  text(writer, 2, 'burnish');
  message(writer, 7, graphFields(graph));
  message(writer, 8, (opset) => {
    text(opset, 1, '');
    int(opset, 2, OPSET);
  });
  if (graph.nodes.some(({ domain }) => domain === RUNTIME_DOMAIN)) {
    message(writer, 8, (opset) => {
      text(opset, 1, RUNTIME_DOMAIN);
      int(opset, 2, RUNTIME_OPSET);
    });
  }
  return writer.finish();
}

function graphFields({
  name,
  nodes,
  initializers,
  external = [],
  inputs,
  outputs,
}: Graph): Message {
  return (writer) => {
    for (const node of nodes) message(writer, 1, nodeFields(node));
    text(writer, 2, name);
    for (const initializer of initializers) message(writer, 5, tensorFields(initializer));
    for (const initializer of external) message(writer, 5, externalFields(initializer));
    for (const input of inputs) message(writer, 11, valueFields(input));
    for (const output of outputs) message(writer, 12, valueFields(output));
  };
}

function nodeFields({ type, domain, inputs, outputs, attributes }: Node): Message {
  return (writer) => {
    for (const input of inputs) text(writer, 1, input);
    for (const output of outputs) text(writer, 2, output);
    text(writer, 4, type);
    for (const [name, attribute] of Object.entries(attributes)) {
      message(writer, 5, attributeFields(name, attribute));
    }
    if (domain !== undefined) text(writer, 7, domain);
  };
}

function attributeFields(name: string, attribute: Attribute): Message {
  return (writer) => {
    text(writer, 1, name);
    switch (attribute.kind) {
      case 'float':
        writer.tag(2, WireType.Bit32).float(attribute.value);
        break;
      case 'int':
        int(writer, 3, attribute.value);
        break;
      case 'string':
        text(writer, 4, attribute.value);
        break;
      case 'graph':
        message(writer, 6, graphFields(attribute.value));
        break;
      case 'ints':
        for (const value of attribute.value) int(writer, 8, value);
        break;
    }
    int(writer, 20, ATTRIBUTE_TYPES[attribute.kind]);
  };
}

function tensorFields({ name, type, shape, values }: Initializer): Message {
  return (writer) => {
    for (const size of shape) int(writer, 1, size);
    int(writer, 2, ELEMENT_TYPES[type]);
    text(writer, 8, name);
    const data = type === 'int64' ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
    writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer));
  };
}

function externalFields(initializer: ExternalInitializer): Message {
  const { name, type, shape, file, offset, length } = initializer;
  return (writer) => {
    for (const size of shape) int(writer, 1, size);
    int(writer, 2, ELEMENT_TYPES[type]);
    text(writer, 8, name);
    for (const [key, value] of Object.entries({ location: file, offset, length })) {
      message(writer, 13, (entry) => {
        text(entry, 1, key);
        text(entry, 2, String(value));
      });
    }
    int(writer, 14, EXTERNAL);
  };
}

function valueFields({ name, type, shape }: ValueInfo): Message {
  return (writer) => {
    text(writer, 1, name);
    message(writer, 2, (typeWriter) => {
      message(typeWriter, 1, (tensor) => {
        int(tensor, 1, ELEMENT_TYPES[type]);
        message(tensor, 2, (shapeWriter) => {
          for (const dimension of shape) {
            message(shapeWriter, 1, (size) => {
              if (typeof dimension === 'number') int(size, 1, dimension);
              else text(size, 2, dimension);
            });
          }
        });
      });
    });
  };
}

function message(writer: BinaryWriter, field: number, fields: Message): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  fields(writer);
  writer.join();
}

function int(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}
