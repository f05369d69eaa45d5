import { join } from 'node:path';
import type { Checkpoint } from '../../checkpoint/open.js';
import {
  layoutSafetensors,
  type PlacedTensor,
  type PlannedTensor,
  type SafetensorsLayout,
} from '../../checkpoint/safetensors/layout.js';
import type { SafetensorsFile, TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { CopyRangeTask, FileRange, QuantizeRowsTask } from '../../kernels/index.js';
import type { CalibratedFormat } from '../formats/calibrated-format.js';
import { type LayerTensors, layerTensors } from '../formats/compressed-tensors.js';
import type { PlannedLayer, QuantizationPlan } from '../quantization/plan.js';
import type { PlannedFile } from './planned-files.js';

/** A weight file that is to be written. */
export interface WeightFile extends PlannedFile {
  readonly layout: SafetensorsLayout;
}

/** One tensor of the source and what becomes of it. */
export type TensorWork =
  | {
      readonly kind: 'quantize';
      readonly layer: PlannedLayer;
      readonly task: QuantizeRowsTask;
      /** Bytes of everything that takes the weight's place. */
      readonly bytesAfter: number;
    }
  | {
      readonly kind: 'copy';
      readonly tensor: Pick<TensorInfo, 'name' | 'file'>;
      readonly task: CopyRangeTask;
    };

export interface WeightFilesPlan {
  readonly files: readonly WeightFile[];
  /** In the order in which the tensors lie in the source, so that it is read from front to back. Without
   * the layers of a calibrated technique, which writes them itself. */
  readonly work: readonly TensorWork[];
  /** Bytes of all tensors. */
  readonly tensorBytes: number;
  /** Output tensor name to file name. */
  readonly fileOf: ReadonlyMap<string, string>;
  /** Output tensor name to its place. */
  readonly ranges: ReadonlyMap<string, FileRange>;
}

/** Lays out the output's weight files, one for each of the source and named like it. The tensors of a
 * quantized layer are in the file in which its weight was.
 * @param format of a calibrated technique; others write compressed-tensors.
 * @throws CheckpointError if a new tensor's name is taken, as in a checkpoint that is quantized
 * already. */
export function planWeightFiles(
  checkpoint: Checkpoint,
  plan: QuantizationPlan,
  folder: string,
  format: CalibratedFormat | undefined,
): WeightFilesPlan {
  const layers = new Map(plan.layers.map((layer) => [layer.weight.name, layer]));
  const files: WeightFile[] = [];
  const work: TensorWork[] = [];
  const fileOf = new Map<string, string>();
  const ranges = new Map<string, FileRange>();
  let tensorBytes = 0;
  for (const shard of checkpoint.shards) {
    const { file, shardWork } = planFile(shard, layers, folder, format);
    files.push(file);
    for (const item of shardWork) work.push(item);
    for (const { name, offset, length } of file.layout.tensors.values()) {
      fileOf.set(name, file.name);
      ranges.set(name, { path: file.path, offset, length });
      tensorBytes += length;
    }
  }
  return { files, work, tensorBytes, fileOf, ranges };
}

function planFile(
  shard: SafetensorsFile,
  layers: ReadonlyMap<string, PlannedLayer>,
  folder: string,
  format: CalibratedFormat | undefined,
): { readonly file: WeightFile; readonly shardWork: readonly TensorWork[] } {
  const encoded = new Map<string, LayerTensors>();
  const tensors: PlannedTensor[] = [];
  for (const tensor of shard.tensors) {
    const layer = layers.get(tensor.name);
    if (layer === undefined) {
      tensors.push(tensor);
      continue;
    }
    if (format !== undefined) {
      tensors.push(...format.tensors(layer));
      continue;
    }
    const replacement = layerTensors(layer);
    encoded.set(tensor.name, replacement);
    tensors.push(...allOf(replacement));
  }
  const layout = layoutSafetensors(tensors, { format: 'pt', ...shard.metadata }, shard.file);
  const path = join(folder, shard.file);
  const rangeOf = ({ name }: PlannedTensor): FileRange => {
    const { offset, length } = placed(layout, name);
    return { path, offset, length };
  };
  const written = shard.tensors.filter(({ name }) => format === undefined || !layers.has(name));
  const shardWork = written.map((tensor): TensorWork => {
    const source = { path: tensor.path, offset: tensor.offset, length: tensor.length };
    const layer = layers.get(tensor.name);
    const replacement = encoded.get(tensor.name);
    if (layer === undefined || replacement === undefined) {
      return { kind: 'copy', tensor, task: copyTask(tensor, source, rangeOf(tensor)) };
    }
    return quantizeWork(layer, source, replacement, rangeOf);
  });
  const constants = [...encoded.values()].flatMap(({ shape }) =>
    shape === undefined
      ? []
      : [{ offset: placed(layout, shape.tensor.name).offset, data: shape.data }],
  );
  const pieces = [{ offset: 0, data: layout.header }, ...constants];
  return { file: { name: shard.file, path, size: layout.size, pieces, layout }, shardWork };
}

/** @param rangeOf where a planned tensor has its place */
function quantizeWork(
  layer: PlannedLayer,
  source: FileRange,
  replacement: LayerTensors,
  rangeOf: (tensor: PlannedTensor) => FileRange,
): TensorWork {
  const { codes, scales, zeroPoints } = replacement;
  const { weight, sourceType, rows, columns, scheme } = layer;
  return {
    kind: 'quantize',
    layer,
    task: {
      ...{ name: weight.name, source, sourceType, rows, columns, scheme, scaleType: sourceType },
      codes: rangeOf(codes),
      scales: rangeOf(scales),
      ...(zeroPoints === undefined ? {} : { zeroPoints: rangeOf(zeroPoints) }),
    },
    bytesAfter: allOf(replacement).reduce((sum, part) => sum + rangeOf(part).length, 0),
  };
}

/** Names of what takes the place of a layer's weight. */
export function namesOfLayer(
  layer: PlannedLayer,
  format: CalibratedFormat | undefined,
): readonly string[] {
  const tensors = format?.tensors(layer) ?? allOf(layerTensors(layer));
  return tensors.map(({ name }) => name);
}

function allOf({ codes, scales, zeroPoints, shape }: LayerTensors): readonly PlannedTensor[] {
  return [
    codes,
    scales,
    ...(zeroPoints === undefined ? [] : [zeroPoints]),
    ...(shape === undefined ? [] : [shape.tensor]),
  ];
}

function placed(layout: SafetensorsLayout, name: string): PlacedTensor {
  const found = layout.tensors.get(name);
  if (found === undefined) throw new Error(`${name} was not laid out`);
  return found;
}

/** Parameters are looked through for NaN and infinities on their way; buffers may hold them rightly. */
function copyTask(tensor: TensorInfo, source: FileRange, target: FileRange): CopyRangeTask {
  const { name, dtype } = tensor;
  const parameter = name.endsWith('.weight') || name.endsWith('.bias');
  return parameter && (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16')
    ? { name, source, target, checkFinite: dtype }
    : { name, source, target };
}
