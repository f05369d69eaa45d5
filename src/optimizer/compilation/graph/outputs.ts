import type { InputProjection } from '../../../checkpoint/architectures/forward/forward-model.js';

/** Consecutive outputs of a linear module. */
export interface Outputs {
  readonly module: string;
  readonly first: number;
  readonly rows: number;
}

/** The rows of the module that makes one of the outputs. */
export function outputsOf<Output extends string>(
  inputs: readonly InputProjection<Output>[],
  wanted: Output,
): Outputs {
  for (const { module, outputs } of inputs) {
    let first = 0;
    for (const { name, size } of outputs) {
      if (name === wanted) return { module, first, rows: size };
      first += size;
    }
  }
  throw new Error(`no projection makes ${wanted}`);
}

/** Name of the weight that several outputs share: the first module's, marked where there are more. */
export function joinedName(outputs: readonly Outputs[]): string {
  const modules = new Set(outputs.map(({ module }) => module));
  const [first = ''] = modules;
  return modules.size === 1 ? first : `${first}.joined`;
}

/** Name of the weight of one output, told apart from others of the same module. */
export function ownName(own: Outputs, all: readonly Outputs[]): string {
  const shared = all.filter(({ module }) => module === own.module).length > 1;
  return shared ? `${own.module}.from_${own.first}` : own.module;
}
