import { quoted } from '../../checkpoint/errors.js';
import { canonicalValue } from './canonical-value.js';
import {
  COMPILATION_SETTINGS,
  type CompilationDefinition,
  type CompilationKey,
  type CompilationTarget,
  type CompiledDtype,
  type CompiledLayout,
  SHARED_SETTINGS,
  type VocabularyDtype,
} from './compilation-definitions.js';
import { findSetting } from './definitions.js';
import { SettingsError } from './errors.js';
import { collectSettings, type GivenValue } from './given.js';
import { optionName } from './given-values.js';
import type { Properties } from './properties.js';
import { SERVING_OPTIONS } from './serving-options.js';
import { suggest } from './suggest.js';

/** Prefix of the settings that only compilation has. */
const OWN_PREFIX = 'compile_';

/** The settings of one compilation step, checked as far as that goes without the model. */
export interface CompilationSettings {
  /** Undefined where the model decides. */
  readonly dtype: CompiledDtype | undefined;
  readonly positions: number | undefined;
  readonly batch: number;
  readonly level: 0 | 1 | 2 | 3;
  readonly target: CompilationTarget;
  readonly layout: CompiledLayout;
  readonly blockSize: number;
  readonly zeroPoint: boolean;
  readonly accuracyLevel: number;
  readonly headDtype: VocabularyDtype;
  readonly embeddingDtype: VocabularyDtype;
  readonly measure: boolean;
  readonly evaluation: {
    readonly enabled: boolean;
    readonly dataset: string | undefined;
    readonly tokens: number | undefined;
  };
  /** What messages call a setting: as the caller wrote it. */
  label(key: CompilationKey): string;
  /** Options for the serving container, by key without prefix. */
  readonly serving: ReadonlyMap<string, string>;
  /** Every setting of compilation with the value that was used, by its `OPTION_` name. */
  readonly effective: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

const DEFAULT_LEVELS: Readonly<Record<CompilationTarget, string>> = {
  portable: '1',
  this_machine: '3',
};

/** Values of OPTION_DTYPE that other compilers take, and why this one does not. */
const REFUSED_DTYPES: Readonly<Record<string, string>> = {
  fp8: 'ONNX Runtime does not multiply FP8 on processors; a step with the Image of a TensorRT-LLM compiler does',
  bf16: 'ONNX Runtime’s operators for processors have no bfloat16; fp32 keeps every bit of it',
};

/** Settings by which callers of the LMI containers ask for another compiler, and its name. */
const OTHER_COMPILERS: readonly {
  readonly key: RegExp;
  readonly value: RegExp;
  readonly compiler: string;
}[] = [
  { key: /^(rolling_batch|entrypoint)$/, value: /trt|tensorrt/i, compiler: 'TensorRT-LLM' },
  { key: /^(rolling_batch|entrypoint|model_loader)$/, value: /neuron/i, compiler: 'Neuron' },
  { key: /neuron/, value: /./, compiler: 'Neuron' },
];

/** Reads and checks the settings of a compilation step. It reads nothing but its arguments, so that
 * whoever accepts jobs can refuse bad settings before accepting one.
 * @param environment the caller's settings, `OPTION_X` to value.
 * @param properties the source model's `serving.properties`, if it is at hand; the environment wins.
 * @param quantized whether the model is quantized by the time it is compiled. Settings of quantization
 * are then those of the step before.
 * @throws SettingsError naming the setting, the value and what is allowed. */
export function parseCompilationSettings(
  environment: Readonly<Record<string, string>>,
  properties: Properties = new Map(),
  quantized = false,
): CompilationSettings {
  const given = collectSettings(environment, properties);
  if (!quantized) refuseQuantization(given.own);
  refuseOtherCompilers(given.serving);
  checkNames(given.serving);
  refuseForeign(given.serving.get('dtype'));
  const values = new Map(
    COMPILATION_SETTINGS.map((definition) => [
      definition.key,
      settingValue(definition, given.serving.get(definition.key)),
    ]),
  );
  const text = (key: CompilationKey): string => values.get(key) ?? '';
  const label = (key: CompilationKey): string => given.serving.get(key)?.label ?? optionName(key);
  const target = text('compile_target') as CompilationTarget;
  if (text('optimization_level') === '') values.set('optimization_level', DEFAULT_LEVELS[target]);
  const level = Number(text('optimization_level')) as CompilationSettings['level'];
  if (level > 1 && target === 'portable') {
    throw new SettingsError(
      label('optimization_level'),
      `${label('optimization_level')} is ${level}, which makes a graph for machines like the one that compiles; set ${optionName('compile_target')}=this_machine, or a level of 0 or 1`,
    );
  }
  const dtype = text('dtype');
  const positions = text('n_positions');
  return {
    dtype: dtype === 'auto' ? undefined : (dtype as CompiledDtype),
    positions: positions === '' ? undefined : Number(positions),
    batch: Number(text('max_rolling_batch_size')),
    level,
    target,
    layout: text('compile_layout') as CompiledLayout,
    blockSize: Number(text('compile_block_size')),
    zeroPoint: text('compile_zero_point') === 'true',
    accuracyLevel: Number(text('compile_accuracy_level')),
    headDtype: text('compile_head_dtype') as VocabularyDtype,
    embeddingDtype: text('compile_embedding_dtype') as VocabularyDtype,
    measure: text('compile_measure') === 'true',
    evaluation: readEvaluation(given.own),
    label,
    serving: new Map([...given.serving].map(([key, { value }]) => [key, value])),
    effective: Object.fromEntries(
      [...values].flatMap(([key, value]) => (value === '' ? [] : [[optionName(key), value]])),
    ),
    notes: given.notes,
  };
}

function settingValue(definition: CompilationDefinition, given: GivenValue | undefined): string {
  return given === undefined
    ? (definition.default ?? '')
    : canonicalValue(definition.values, given.value, given.label);
}

/** A caller who gives a setting of quantization expects it to happen. */
function refuseQuantization(own: ReadonlyMap<string, GivenValue>): void {
  for (const [key, { label, fromFile }] of own) {
    if (fromFile || SHARED_SETTINGS.some((shared) => shared === key)) continue;
    throw new SettingsError(
      label,
      `${label} is a setting of quantization; give the job a ModelQuantizationConfig before the ModelCompilationConfig`,
    );
  }
}

/** Names that only compilation could mean must be right. */
function checkNames(serving: ReadonlyMap<string, GivenValue>): void {
  const known: readonly string[] = COMPILATION_SETTINGS.map(({ key }) => key);
  for (const [key, { label, fromFile }] of serving) {
    if (fromFile || known.includes(key) || SERVING_OPTIONS.includes(key)) continue;
    const near = suggest(key, known);
    if (near !== undefined) {
      throw new SettingsError(
        label,
        `${label} is not a setting; did you mean ${optionName(near)}?`,
      );
    }
    if (key.startsWith(OWN_PREFIX)) {
      throw new SettingsError(
        label,
        `${label} is not a setting of compilation; those are ${known.map(optionName).join(', ')}`,
      );
    }
  }
}

function refuseOtherCompilers(serving: ReadonlyMap<string, GivenValue>): void {
  for (const [key, { value, label }] of serving) {
    const found = OTHER_COMPILERS.find((other) => other.key.test(key) && other.value.test(value));
    if (found === undefined) continue;
    throw new SettingsError(
      label,
      `${label} asks for ${found.compiler}, which the built-in compiler is not: its target is ONNX Runtime. Give the step the Image of a ${found.compiler} compiler (an LMI ${found.compiler} container), or leave ${label} out`,
    );
  }
}

function refuseForeign(dtype: GivenValue | undefined): void {
  if (dtype === undefined) return;
  const asked = dtype.value.trim().toLowerCase();
  const reason = Object.hasOwn(REFUSED_DTYPES, asked) ? REFUSED_DTYPES[asked] : undefined;
  if (reason === undefined) return;
  throw new SettingsError(dtype.label, `${dtype.label} is ${quoted(dtype.value)}: ${reason}`);
}

function readEvaluation(own: ReadonlyMap<string, GivenValue>): CompilationSettings['evaluation'] {
  const read = (key: (typeof SHARED_SETTINGS)[number]): string | undefined => {
    const given = own.get(key);
    const definition = findSetting(key);
    if (given === undefined || definition === undefined) return definition?.default;
    return canonicalValue(definition.values, given.value, given.label);
  };
  const tokens = read('eval_tokens');
  return {
    enabled: read('evaluate') === 'true',
    dataset: read('eval_dataset'),
    tokens: tokens === undefined ? undefined : Number(tokens),
  };
}
