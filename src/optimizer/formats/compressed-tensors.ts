import { EXPERT } from '../../checkpoint/architectures/architecture.js';
import { foreignPart, type LinearLayer } from '../../checkpoint/architectures/modules.js';
import type { JsonObject } from '../../checkpoint/json.js';
import type { PlannedTensor } from '../../checkpoint/safetensors/layout.js';
import { encodedLayout, type WeightScheme } from '../../kernels/index.js';
import type { KeptModule, PlannedLayer, QuantizationPlan } from '../quantization/plan.js';
import { describeScheme } from '../quantization/scheme.js';

/** The tensors of one quantized layer, as compressed-tensors names them. */
export interface LayerTensors {
  readonly codes: PlannedTensor;
  readonly scales: PlannedTensor;
  readonly zeroPoints: PlannedTensor | undefined;
  /** The unpacked shape, which packed codes do not tell; the only one whose value is known before
   * the weight is read. */
  readonly shape: { readonly tensor: PlannedTensor; readonly data: Uint8Array } | undefined;
}

/** What takes the place of `<module>.weight`. Scales have the weight's own type. */
export function layerTensors(layer: PlannedLayer): LayerTensors {
  const { module, rows, columns, scheme, sourceType } = layer;
  const { codes, scales, zeroPoints } = encodedLayout(scheme, rows, columns, sourceType);
  const packed = isPacked(scheme);
  return {
    codes: { ...codes, name: `${module}.${packed ? 'weight_packed' : 'weight'}` },
    scales: { ...scales, name: `${module}.weight_scale` },
    zeroPoints:
      zeroPoints === undefined ? undefined : { ...zeroPoints, name: `${module}.weight_zero_point` },
    shape: packed
      ? {
          tensor: { name: `${module}.weight_shape`, dtype: 'I64', shape: [2] },
          data: int64s([rows, columns]),
        }
      : undefined,
  };
}

function isPacked(scheme: WeightScheme): boolean {
  return scheme.type === 'int' && scheme.packed;
}

function int64s(values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => {
    bytes.writeBigInt64LE(BigInt(value), index * 8);
  });
  return bytes;
}

/** The `quantization_config` that tells loaders what was done: the checkpoint format of
 * compressed-tensors, as vLLM and Transformers read it.
 *
 * One scheme for all layers targets the class `Linear`. Several are told apart by expressions that
 * match both a layer's own name and the name of the module it is fused into, since vLLM looks for
 * those before it falls back to class names.
 * @param multimodal whether loaders may put the language model under another prefix than the
 * checkpoint does. */
export function quantizationConfig(plan: QuantizationPlan, multimodal: boolean): JsonObject {
  const groups = new Map<string, PlannedLayer[]>();
  for (const layer of plan.layers) {
    const key = describeScheme(layer.scheme, layer.staticInputs);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [layer]);
    else group.push(layer);
  }
  const ordered = [...groups.values()].sort((a, b) => b.length - a.length);
  return {
    config_groups: Object.fromEntries(
      ordered.map((layers, index) => [
        `group_${index}`,
        {
          targets: ordered.length === 1 ? onlyTargets(layers) : groupTargets(layers, plan),
          weights: weightArguments(schemeOf(layers)),
          input_activations: activationArguments(schemeOf(layers), layers),
          output_activations: null,
        },
      ]),
    ),
    format: formatName(schemeOf(plan.layers)),
    global_compression_ratio: null,
    ignore: ignoreList(plan.kept, multimodal),
    kv_cache_scheme: null,
    quant_method: 'compressed-tensors',
    quantization_status: 'compressed',
  };
}

function schemeOf(layers: readonly PlannedLayer[]): WeightScheme {
  const [first] = layers;
  if (first === undefined) throw new Error('a group of layers is empty');
  return first.scheme;
}

function formatName(scheme: WeightScheme): string {
  if (scheme.type === 'float') return 'float-quantized';
  return scheme.packed ? 'pack-quantized' : 'int-quantized';
}

function weightArguments(scheme: WeightScheme): JsonObject {
  return {
    actorder: null,
    block_structure: null,
    dynamic: false,
    group_size: scheme.type === 'int' ? (scheme.groupSize ?? null) : null,
    num_bits: scheme.bits,
    observer: 'minmax',
    observer_kwargs: {},
    strategy: scheme.strategy,
    symmetric: scheme.type === 'float' || scheme.symmetric,
    type: scheme.type,
  };
}

/** Packed weights leave activations as they are; the others go with 8-bit activations, whose scales are
 * computed for every token or stored, one for each layer. */
function activationArguments(
  scheme: WeightScheme,
  layers: readonly PlannedLayer[],
): JsonObject | null {
  if (isPacked(scheme)) return null;
  const stored = layers.some(({ staticInputs }) => staticInputs);
  return {
    actorder: null,
    block_structure: null,
    dynamic: !stored,
    group_size: null,
    num_bits: 8,
    observer: stored ? 'minmax' : null,
    observer_kwargs: {},
    strategy: stored ? 'tensor' : 'token',
    symmetric: true,
    type: scheme.type,
  };
}

function onlyTargets(layers: readonly PlannedLayer[]): readonly string[] {
  return ['Linear', ...headTargets(layers)];
}

/** vLLM's output layer is not of a class named Linear, so it is named. */
function headTargets(layers: readonly PlannedLayer[]): readonly string[] {
  return layers
    .filter(({ layer }) => layer === undefined)
    .map(({ module }) => `re:(?:.*\\.)?${literal(lastPart(module))}$`);
}

function groupTargets(layers: readonly PlannedLayer[], plan: QuantizationPlan): readonly string[] {
  const everywhere = blocksOf(plan.layers);
  const lists = new Set([...everywhere.values()].map(({ path }) => path));
  const targets = [...blocksOf(layers)].map(([key, found]) => {
    const all = everywhere.get(key);
    const blocks =
      all !== undefined && all.indices.size === found.indices.size
        ? '\\d+'
        : `(?:${[...found.indices].join('|')})`;
    const list = lists.size === 1 ? lastPart(found.path) : found.path;
    const names = [...found.names].map(memberExpression);
    const members = names.length === 1 ? names[0] : `(?:${names.join('|')})`;
    return `re:(?:.*\\.)?${literal(list)}\\.${blocks}\\.${members}$`;
  });
  return [...targets, ...headTargets(layers)];
}

interface FamilyBlocks {
  readonly path: string;
  readonly indices: Set<number>;
  readonly names: Set<string>;
}

/** The blocks in which each kind of family occurs, and all names of its layers. */
function blocksOf(layers: readonly PlannedLayer[]): ReadonlyMap<string, FamilyBlocks> {
  const found = new Map<string, FamilyBlocks>();
  for (const { layer } of layers) {
    if (layer === undefined) continue;
    const { path, index, member } = layer.place;
    const key = `${path} ${familyName(layer)}`;
    const blocks = found.get(key) ?? { path, indices: new Set(), names: new Set() };
    blocks.indices.add(index);
    for (const name of [member, ...layer.servedAs]) blocks.names.add(name);
    found.set(key, blocks);
  }
  return found;
}

function familyName({ familyKey, place }: LinearLayer): string {
  return familyKey.slice(`${place.path}.${place.index}.`.length);
}

/** Modules that stay as they are but that a loader could take for quantized ones. */
function ignoreList(kept: readonly KeptModule[], multimodal: boolean): readonly string[] {
  const entries = kept
    .filter(({ role }) => role !== 'embedding')
    .map(({ module, role }) => {
      const part = foreignPart(module);
      if (part !== undefined) return `re:(?:.*\\.)?${literal(part)}(?:\\..*)?$`;
      const blockMember = /^.*?\.\d+\.(.+)$/.exec(module)?.[1];
      if (role === 'router' && blockMember !== undefined) {
        return `re:.*\\.${literal(blockMember)}$`;
      }
      if (!multimodal) return module;
      return `re:(?:.*\\.)?${literal(withoutPrefix(module))}$`;
    });
  return [...new Set(entries)];
}

/** A module's name from its list of blocks on, or its last part. */
function withoutPrefix(module: string): string {
  const parts = module.split('.');
  const number = parts.findIndex((part, index) => index > 0 && /^\d+$/.test(part));
  return parts.slice(number === -1 ? -1 : number - 1).join('.');
}

function memberExpression(member: string): string {
  return literal(member).replaceAll(literal(EXPERT), '\\d+');
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function lastPart(module: string): string {
  return module.slice(module.lastIndexOf('.') + 1);
}
