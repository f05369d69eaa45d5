import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { type LinearSpec, linear } from './linear.js';

/** A linear layer whose output consists of several, one after the other. */
export interface ProjectionSpec<Output extends string> extends LinearSpec {
  readonly outputs: readonly { readonly name: Output; readonly size: number }[];
}

/** The parts that the projections of `x` make, by name. */
export function project<Output extends string>(
  graph: GraphBuilder,
  x: Value,
  projections: readonly ProjectionSpec<Output>[],
): (name: Output) => Value {
  const found = new Map<Output, Value>();
  for (const projection of projections) {
    const { outputs } = projection;
    const all = linear(graph, x, projection);
    const sizes = outputs.map(({ size }) => size);
    const parts =
      outputs.length === 1
        ? [all]
        : graph.ops('Split', [all, graph.ints(sizes)], outputs.length, { axis: -1 });
    for (const [index, { name }] of outputs.entries()) {
      const part = parts[index];
      if (part !== undefined) found.set(name, part);
    }
  }
  return (name) => {
    const part = found.get(name);
    if (part === undefined) throw new Error(`no projection makes ${name}`);
    return part;
  };
}
