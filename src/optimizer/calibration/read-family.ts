import { CheckpointError } from '../../checkpoint/errors.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import { findNonFinite } from '../../kernels/index.js';
import type { PlannedLayer } from '../quantization/plan.js';
import type { InputStatistics } from '../techniques/input-statistics.js';
import type { Family, LinearWeight, Preceding } from '../techniques/technique.js';
import { isFloat } from './apply-fold.js';
import type { StageFamily } from './stage-families.js';
import type { WorkingWeights } from './working-weights.js';

/** Where a family's weights are, and what comes before it. */
export interface FamilySource {
  readonly weights: WorkingWeights;
  /** The checkpoint's tensors. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Layers that are quantized, by module. */
  readonly planned: ReadonlyMap<string, PlannedLayer>;
  /** Whether norms multiply by `1 + weight`. */
  readonly addOne: boolean;
}

/** Reads a family as a technique takes it.
 * @param inputs undefined for an expert that no sample was sent to.
 * @throws CheckpointError if a weight holds NaN or infinity. */
export async function readFamily(
  { modules, preceding }: StageFamily,
  inputs: InputStatistics | undefined,
  source: FamilySource,
): Promise<Family> {
  const weights: LinearWeight[] = [];
  for (const module of modules) {
    const matrix = await source.weights.matrix(module);
    checkFinite(module, matrix.values);
    weights.push({ name: module, ...matrix });
  }
  const [{ columns } = { columns: 0 }] = weights;
  const before = await readPreceding(preceding, source);
  return {
    name: modules.join(', '),
    weights,
    inputs: inputs ?? unseen(columns),
    ...(before === undefined ? {} : { preceding: before }),
  };
}

async function readPreceding(
  preceding: StageFamily['preceding'],
  { weights, tensors, planned, addOne }: FamilySource,
): Promise<Preceding | undefined> {
  if (preceding === undefined) return undefined;
  const { module } = preceding;
  if (preceding.kind === 'linear') {
    // One that keeps its precision was meant to be left as it is.
    const layer = planned.get(module);
    if (layer === undefined) return undefined;
    return { kind: 'linear', name: module, rows: layer.rows, rowOf: preceding.rowOf };
  }
  const name = `${module}.weight`;
  const type = tensors.get(name)?.dtype;
  if (!isFloat(type)) return undefined;
  return {
    kind: 'norm',
    name: module,
    weight: await weights.tensor(name),
    addsOne: addOne,
    storedAs: type,
    alsoFeeds: [],
  };
}

/** Nothing is known of the inputs, so all channels count the same. */
function unseen(columns: number): InputStatistics {
  const gram = new Float32Array(columns * columns);
  for (let column = 0; column < columns; column += 1) gram[column * (columns + 1)] = 1;
  const ones = new Float32Array(columns).fill(1);
  return { columns, tokens: 1, gram, meanMagnitude: ones, largestMagnitude: ones };
}

/** @throws CheckpointError if a weight holds NaN or infinity. */
function checkFinite(module: string, values: Float32Array): void {
  const at = findNonFinite(values);
  if (at === undefined) return;
  throw new CheckpointError(`has ${values[at]} at element ${at}: the checkpoint is damaged`, {
    tensor: `${module}.weight`,
  });
}
