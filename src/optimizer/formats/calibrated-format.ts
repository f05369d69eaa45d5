import type { JsonObject } from '../../checkpoint/json.js';
import type { PlannedTensor } from '../../checkpoint/safetensors/layout.js';
import type { FloatType } from '../../kernels/index.js';
import type { KeptModule, PlannedLayer, QuantizationPlan } from '../quantization/plan.js';
import type { CompensationRequest, RequestedScheme } from '../settings/requested-scheme.js';
import type { EncodedWeight } from '../techniques/encoded-weight.js';
import { autoAwqConfig, autoAwqTensors, packAutoAwq } from './autoawq.js';
import { quantizationConfig } from './compressed-tensors.js';
import { type CompressedShape, compressedTensors, packCompressed } from './compressed-weight.js';
import { gptqConfig, gptqTensors, packGptq } from './gptq.js';
import { FormatError, type IntegerShape, type PackedTensor } from './packed-tensors.js';

/** The checkpoint format that a calibrated technique writes. */
export interface CalibratedFormat {
  /** What serving engines call it. */
  readonly method: string;
  /** Type in which a layer's scales are stored. */
  scaleType(layer: PlannedLayer): FloatType;
  /** The smallest zero point that can be stored. */
  readonly lowestZeroPoint: 0 | 1;
  /** What takes the place of a layer's weight. */
  tensors(layer: PlannedLayer): readonly PlannedTensor[];
  /** @throws FormatError for a weight that the format cannot hold. */
  pack(layer: PlannedLayer, weight: EncodedWeight): readonly PackedTensor[];
  /** The result's `quantization_config`. */
  config(plan: QuantizationPlan, multimodal: boolean): JsonObject;
}

/** The format for a request, or undefined for techniques that are not calibrated. */
export function calibratedFormat(requested: RequestedScheme): CalibratedFormat | undefined {
  switch (requested.technique) {
    case 'awq':
      return requested.format === 'awq' ? autoAwqFormat(requested.groupSize) : COMPRESSED_FORMAT;
    case 'gptq':
    case 'gptaq':
      return requested.format === 'gptq' ? gptqFormat(requested) : COMPRESSED_FORMAT;
    case 'smoothquant':
      return COMPRESSED_FORMAT;
    case 'fp8':
      return requested.staticInputs ? COMPRESSED_FORMAT : undefined;
    case 'rtn':
    case 'int8':
      return undefined;
  }
}

function integerShape({ module, rows, columns, scheme }: PlannedLayer): IntegerShape {
  if (scheme.type !== 'int') throw new FormatError(module, 'it has no integer scheme.');
  return { rows, columns, bits: scheme.bits, groupSize: scheme.groupSize ?? columns };
}

function asIntegers(
  { module }: PlannedLayer,
  weight: EncodedWeight,
): EncodedWeight & { readonly kind: 'integers' } {
  if (weight.kind === 'integers') return weight;
  throw new FormatError(module, 'it was not encoded as integers.');
}

/** Modules that a reader would otherwise take for quantized ones. */
function keptNames(kept: readonly KeptModule[]): readonly string[] {
  return kept.filter(({ role }) => role !== 'embedding').map(({ module }) => module);
}

function autoAwqFormat(groupSize: number | undefined): CalibratedFormat {
  return {
    method: 'awq',
    scaleType: () => 'F16',
    lowestZeroPoint: 0,
    tensors: (layer) => autoAwqTensors(layer.module, integerShape(layer)),
    pack: (layer, weight) => packAutoAwq(layer.module, asIntegers(layer, weight)),
    config: ({ kept }) => autoAwqConfig(groupSize, keptNames(kept)),
  };
}

function gptqFormat(requested: CompensationRequest): CalibratedFormat {
  const { bits, groupSize, zeroPoint, damping, order } = requested;
  return {
    method: 'gptq',
    scaleType: () => 'F16',
    lowestZeroPoint: 1,
    tensors: (layer) => gptqTensors(layer.module, integerShape(layer)),
    pack: (layer, weight) => packGptq(layer.module, asIntegers(layer, weight)),
    config: ({ kept }) =>
      gptqConfig({
        bits,
        groupSize,
        symmetric: !zeroPoint,
        reorderedGroups: order === 'activity-groups',
        damping,
        unquantized: keptNames(kept),
      }),
  };
}

const COMPRESSED_FORMAT: CalibratedFormat = {
  method: 'compressed-tensors',
  scaleType: ({ sourceType }) => sourceType,
  lowestZeroPoint: 0,
  tensors: (layer) => compressedTensors(layer.module, compressedShape(layer)),
  pack: (layer, weight) => packCompressed(layer.module, weight, isPacked(layer)),
  config: quantizationConfig,
};

function isPacked({ scheme }: PlannedLayer): boolean {
  return scheme.type === 'int' && scheme.packed;
}

function compressedShape(layer: PlannedLayer): CompressedShape {
  const { rows, columns, scheme, sourceType, staticInputs } = layer;
  if (scheme.type === 'float') {
    return { kind: 'float8', rows, columns, scaleType: sourceType, scales: 'row', staticInputs };
  }
  return {
    kind: 'integers',
    rows,
    columns,
    bits: scheme.bits,
    groupSize: scheme.groupSize ?? columns,
    symmetric: scheme.symmetric,
    scaleType: sourceType,
    reorderedGroups: false,
    packed: scheme.packed,
  };
}
