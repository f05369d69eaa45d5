import type { StorageMethod } from './sharding-model.js';

/** What a dimension of a stored tensor runs along: a layer's outputs, its inputs, or groups of inputs that
 * share a scale. One element may stand for several channels, as in packed tensors. */
export type StoredAxis = 'outputs' | 'inputs' | 'groups';

type AxesBySuffix = Readonly<Record<string, readonly StoredAxis[]>>;

const PLAIN: AxesBySuffix = { weight: ['outputs', 'inputs'], bias: ['outputs'] };

/** GPTQ and AWQ store weights the other way round. Packed tensors have 32-bit words of several codes:
 * along the inputs in GPTQ's weights, along the outputs in AWQ's and in all zero points. */
const TRANSPOSED: AxesBySuffix = {
  ...PLAIN,
  qweight: ['inputs', 'outputs'],
  qzeros: ['groups', 'outputs'],
  scales: ['groups', 'outputs'],
  g_idx: ['inputs'],
};

/** The dimensions of tensors, by the last part of their name. Tensors that are not listed, and those of
 * one element, belong to a whole layer.
 * Sources: the writers of the formats (AutoAWQ, AutoGPTQ, compressed-tensors). */
const AXES: Readonly<Record<StorageMethod, AxesBySuffix>> = {
  plain: PLAIN,
  awq: TRANSPOSED,
  gptq: TRANSPOSED,
  'compressed-tensors': {
    ...PLAIN,
    weight_packed: ['outputs', 'inputs'],
    weight_scale: ['outputs', 'groups'],
    weight_zero_point: ['outputs', 'groups'],
    weight_g_idx: ['inputs'],
  },
};

/** Tensors of one value for a whole layer, or a few that describe all of it. */
const OF_WHOLE_LAYER: ReadonlySet<string> = new Set([
  'weight_shape',
  'weight_global_scale',
  'input_scale',
  'input_zero_point',
  'input_global_scale',
  'output_scale',
  'output_zero_point',
  'k_scale',
  'v_scale',
  'q_scale',
]);

/** What the dimensions of a tensor run along; none where it describes its layer as a whole. Undefined for
 * a tensor that the method does not have. */
export function storedAxes(
  method: StorageMethod,
  suffix: string,
): readonly StoredAxis[] | undefined {
  const axes = AXES[method];
  if (Object.hasOwn(axes, suffix)) return axes[suffix];
  return method !== 'plain' && OF_WHOLE_LAYER.has(suffix) ? [] : undefined;
}
