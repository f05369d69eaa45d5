import type { Checkpoint } from '../../checkpoint/open.js';
import type { QuantizedLayer } from '../quantization/execute.js';
import type { QuantizationPlan } from '../quantization/plan.js';
import { VERIFICATION_SEED } from '../quantization/verify.js';
import type { QuantizationSettings } from '../settings/quantization-settings.js';
import { describeStep, type StepCourse } from './describe-step.js';
import type {
  CalibrationReport,
  EvaluationReport,
  FileReport,
  LayerReport,
  QuantizationStepReport,
} from './types.js';

/** What a step did, to be told. */
export interface StepFacts extends StepCourse {
  readonly checkpoint: Checkpoint;
  readonly settings: QuantizationSettings;
  readonly plan: QuantizationPlan;
  readonly format: { readonly method: string; readonly name: string };
  /** In the order of the plan. */
  readonly layers: readonly QuantizedLayer[];
  /** How many of them were read back and compared. */
  readonly verifiedLayers: number;
  readonly weightBytesAfter: number;
  readonly files: readonly FileReport[];
  readonly evaluation: EvaluationReport | null;
  readonly calibration: CalibrationReport | null;
}

/** The report of a quantization: sizes, errors by layer, and what was measured. */
export function buildStepReport(facts: StepFacts): QuantizationStepReport {
  const { checkpoint, plan, layers } = facts;
  const tensors = [...checkpoint.tensors.values()];
  const parameters = sum(tensors, ({ shape }) =>
    shape.reduce((product, size) => product * size, 1),
  );
  const quantized = sum(layers, ({ layer }) => layer.rows * layer.columns);
  const before = sum(tensors, ({ length }) => length);
  const squares = sum(layers, ({ error }) => error.sumSquares);
  const squaredError = sum(layers, ({ error }) => error.sumSquaredError);
  return {
    technique: 'quantization',
    ...describeStep(facts),
    model: {
      type: checkpoint.config.modelType,
      architecture: plan.architecture ?? null,
      parameters,
    },
    format: facts.format,
    layers: layers.map(layerReport),
    unquantized: plan.kept.map(({ module, reason }) => ({ module, reason })),
    totals: {
      weightBytesBefore: before,
      weightBytesAfter: facts.weightBytesAfter,
      folderBytesBefore: sum(checkpoint.files, ({ size }) => size),
      folderBytesAfter: sum(facts.files, ({ bytes }) => bytes),
      ratio: before / facts.weightBytesAfter,
      quantizedShare: quantized / parameters,
      relativeRms: squares === 0 ? 0 : Math.sqrt(squaredError / squares),
    },
    evaluation: facts.evaluation,
    calibration: facts.calibration,
    verification: { seed: VERIFICATION_SEED, layers: facts.verifiedLayers },
  };
}

function layerReport({
  layer,
  error,
  outputError,
  bytesAfter,
  seconds,
}: QuantizedLayer): LayerReport {
  const { scheme } = layer;
  return {
    module: layer.module,
    shape: [layer.rows, layer.columns],
    scheme: {
      type: scheme.type,
      bits: scheme.bits,
      strategy: scheme.strategy,
      groupSize: scheme.type === 'int' ? (scheme.groupSize ?? null) : null,
      symmetric: scheme.type === 'float' || scheme.symmetric,
    },
    error: {
      relativeRms: error.relativeRms,
      output: outputError ?? null,
      worst: {
        absolute: error.worstAbsolute,
        row: error.worstRow,
        column: error.worstColumn,
      },
    },
    bytesBefore: layer.weight.length,
    bytesAfter,
    seconds,
  };
}

function sum<T>(items: Iterable<T>, amount: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += amount(item);
  return total;
}
