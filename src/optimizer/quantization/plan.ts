import type { LinearLayer, ModuleMap, OtherRole } from '../../checkpoint/architectures/modules.js';
import { CheckpointError } from '../../checkpoint/errors.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { FloatType, WeightScheme } from '../../kernels/index.js';
import { SettingsError } from '../settings/errors.js';
import type { QuantizationSettings } from '../settings/quantization-settings.js';
import { suggest } from '../settings/suggest.js';
import { chooseScheme, describeScheme } from './scheme.js';

/** A layer that is to be quantized. */
export interface PlannedLayer {
  readonly module: string;
  readonly weight: TensorInfo;
  readonly sourceType: FloatType;
  readonly rows: number;
  readonly columns: number;
  readonly scheme: WeightScheme;
  /** Whether a scale for the layer's input is stored beside the weight. */
  readonly staticInputs: boolean;
  /** The block's layer it is; undefined for the output layer. */
  readonly layer: LinearLayer | undefined;
}

/** A module with a two-dimensional weight that keeps it. */
export interface KeptModule {
  readonly module: string;
  readonly role: OtherRole | 'linear' | 'head';
  readonly reason: string;
}

/** Every tensor's fate, decided from headers, configuration and settings alone. */
export interface QuantizationPlan {
  /** Undefined where the layers were found by the generic rule. */
  readonly architecture: string | undefined;
  readonly layers: readonly PlannedLayer[];
  readonly kept: readonly KeptModule[];
  /** What was done otherwise than asked, and why. */
  readonly notes: readonly string[];
}

/** Decides which layers are quantized, and how.
 * @throws SettingsError if an ignore list names nothing, or leaves out an output layer that shares its
 * weight with the embedding; CheckpointError if there is nothing to quantize. */
export function planQuantization(
  modules: ModuleMap,
  settings: QuantizationSettings,
): QuantizationPlan {
  checkIgnoreList(modules, settings);
  const layers: PlannedLayer[] = [];
  const changed: PlannedLayer[] = [];
  const kept: KeptModule[] = modules.others.map(({ module, role }) => ({
    module,
    role,
    reason: OTHER_REASONS[role],
  }));
  const notes: string[] = [];
  for (const family of [...families(modules.linears).values(), ...headFamily(modules, settings)]) {
    const choice = chooseForFamily(family, settings, notes);
    if (choice.scheme === undefined) {
      const { reason } = choice;
      kept.push(...family.map(({ module, layer }) => ({ module, role: roleOf(layer), reason })));
      continue;
    }
    const { scheme } = choice;
    const planned = family.map((member) => planLayer(member, scheme, settings));
    layers.push(...planned);
    if (choice.changed) changed.push(...planned);
  }
  kept.push(...keptHead(modules, layers, kept, settings));
  if (layers.length === 0) throw nothingToQuantize(kept);
  return {
    architecture: modules.architecture,
    layers: layers.sort((a, b) => byName.compare(a.module, b.module)),
    kept: kept.sort((a, b) => byName.compare(a.module, b.module)),
    notes: [...notes, ...notesOfChanges(changed, settings)],
  };
}

function planLayer(
  { module, weight, layer }: Candidate,
  scheme: WeightScheme,
  settings: QuantizationSettings,
): PlannedLayer {
  const [rows = 0, columns = 0] = weight.shape;
  const sourceType = floatType(weight) ?? 'F32';
  const staticInputs = hasStaticInputs(settings);
  return { module, weight, sourceType, rows, columns, scheme, staticInputs, layer };
}

function hasStaticInputs({ scheme }: QuantizationSettings): boolean {
  return scheme.technique === 'fp8' && scheme.staticInputs;
}

function roleOf(layer: LinearLayer | undefined): 'head' | 'linear' {
  return layer === undefined ? 'head' : 'linear';
}

/** The output layer, where it is neither quantized nor told of as kept already. */
function keptHead(
  { head, headIsTied }: ModuleMap,
  layers: readonly PlannedLayer[],
  kept: readonly KeptModule[],
  settings: QuantizationSettings,
): readonly KeptModule[] {
  if (layers.some(({ layer }) => layer === undefined)) return [];
  if (head === undefined || headIsTied) {
    return [{ module: head?.module ?? 'lm_head', role: 'head', reason: TIED }];
  }
  if (kept.some(({ module }) => module === head.module)) return [];
  return [{ module: head.module, role: 'head', reason: ignoredReason(settings) }];
}

function nothingToQuantize(kept: readonly KeptModule[]): CheckpointError {
  const first = kept.find(({ role }) => role === 'linear');
  return new CheckpointError(
    first === undefined
      ? 'the checkpoint has no linear layer that can be quantized'
      : `no layer can be quantized; ${first.module}, for one, is left alone: ${first.reason}`,
  );
}

/** A note for each scheme that layers got in place of the one that was asked for. */
function notesOfChanges(
  changed: readonly PlannedLayer[],
  settings: QuantizationSettings,
): readonly string[] {
  const staticInputs = hasStaticInputs(settings);
  const names = new Set(changed.map(({ scheme }) => describeScheme(scheme, staticInputs)));
  return [...names].map((name) => {
    const layers = changed.filter(({ scheme }) => describeScheme(scheme, staticInputs) === name);
    const widths = [...new Set(layers.map(({ columns }) => columns))].sort((a, b) => a - b);
    return `${name} for ${layers.length === 1 ? '1 layer' : `${layers.length} layers, the first being`} ${layers[0]?.module}: the group size ${askedGroupSize(settings)} does not divide the width of every layer that shares the scheme (${widths.join(', ')}).`;
  });
}

/** Names in the order a reader counts: layer 2 before layer 10. */
const byName = new Intl.Collator('en', { numeric: true });

const TIED = 'it shares its weight with the input embedding';

const OTHER_REASONS: Readonly<Record<OtherRole, string>> = {
  router: 'routers choose experts and are never quantized',
  embedding: 'embeddings keep their precision',
  foreign: 'it is not part of the decoder of the language model',
  other: 'it is not a linear layer of a decoder block',
};

interface Candidate {
  readonly module: string;
  readonly weight: TensorInfo;
  readonly layer: LinearLayer | undefined;
}

function families(linears: readonly LinearLayer[]): ReadonlyMap<string, Candidate[]> {
  const found = new Map<string, Candidate[]>();
  for (const layer of linears) {
    const candidate = { module: layer.module, weight: layer.weight, layer };
    const family = found.get(layer.familyKey);
    if (family === undefined) found.set(layer.familyKey, [candidate]);
    else family.push(candidate);
  }
  return found;
}

/** The output layer, where the settings do not leave it alone: a family of its own. */
function headFamily(
  { head, headIsTied }: ModuleMap,
  { ignore }: QuantizationSettings,
): readonly (readonly Candidate[])[] {
  const name = head?.module ?? 'lm_head';
  if (ignore.patterns.some((pattern) => pattern.matches(name))) return [];
  if (head === undefined || headIsTied) {
    throw new SettingsError(
      ignore.setting,
      `${ignore.setting} does not name ${name}, so it would be quantized, but ${TIED}; add ${name} to the list`,
    );
  }
  return [[{ ...head, layer: undefined }]];
}

type FamilyChoice = ReturnType<typeof chooseScheme>;

function chooseForFamily(
  family: readonly Candidate[],
  settings: QuantizationSettings,
  notes: string[],
): FamilyChoice {
  const { patterns } = settings.ignore;
  const ignored = family.filter(({ module }) => patterns.some(({ matches }) => matches(module)));
  const [firstIgnored] = ignored;
  if (firstIgnored !== undefined) {
    if (ignored.length < family.length) {
      const others = family.filter((member) => !ignored.includes(member));
      notes.push(
        `${settings.ignore.setting} names ${firstIgnored.module}, which serving engines fuse with ${summary(others)}; none of them is quantized.`,
      );
    }
    return { scheme: undefined, reason: ignoredReason(settings) };
  }
  for (const { module, weight } of family) {
    if (floatType(weight) === undefined) {
      return {
        scheme: undefined,
        reason: `${module} holds ${weight.dtype}; only F32, F16 and BF16 are quantized`,
      };
    }
    if (weight.length === 0) return { scheme: undefined, reason: `${module} is empty` };
  }
  return chooseScheme(
    settings.scheme,
    family.map(({ weight: { shape } }) => ({ rows: shape[0] ?? 0, columns: shape[1] ?? 0 })),
  );
}

const LONGEST_SUMMARY = 3;

function summary(members: readonly Candidate[]): string {
  const names = members.slice(0, LONGEST_SUMMARY).map(({ module }) => module);
  const more = members.length - names.length;
  return more === 0 ? names.join(', ') : `${names.join(', ')} and ${more} more`;
}

function ignoredReason({ ignore }: QuantizationSettings): string {
  return `${ignore.setting} ${ignore.given ? 'names' : 'by default names'} it or a layer it is fused with`;
}

function askedGroupSize({ scheme }: QuantizationSettings): number | undefined {
  return 'groupSize' in scheme ? scheme.groupSize : undefined;
}

function floatType({ dtype }: TensorInfo): FloatType | undefined {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' ? dtype : undefined;
}

/** A name in the caller's list that fits nothing is a slip that would quantize what was to be kept. */
function checkIgnoreList(modules: ModuleMap, { ignore }: QuantizationSettings): void {
  const names = [
    ...modules.linears.map(({ module }) => module),
    ...modules.others.map(({ module }) => module),
    modules.head?.module ?? 'lm_head',
  ];
  for (const pattern of ignore.patterns) {
    if (names.some((name) => pattern.matches(name))) continue;
    const tails = new Set(names.flatMap((name) => [name, name.slice(name.lastIndexOf('.') + 1)]));
    const near = suggest(pattern.source, tails);
    throw new SettingsError(
      ignore.setting,
      `${ignore.setting} names ${pattern.source}, which is no module of this model${
        near === undefined ? '' : `; did you mean ${near}?`
      }`,
    );
  }
}
