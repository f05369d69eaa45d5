/** Quantization techniques. */
export const QUANTIZATION_TECHNIQUES = [
  'fp8',
  'rtn',
  'int8',
  'awq',
  'gptq',
  'smoothquant',
] as const;
export type Technique = (typeof QUANTIZATION_TECHNIQUES)[number];

/** Technique of a quantization step that names none, as in the LMI containers. */
export const DEFAULT_TECHNIQUE: Technique = 'awq';

/** What a setting's value may be. `modules` is a comma-separated list of module patterns, `dataset` an
 * S3 URI that whoever starts the step has made a local file of; `number`s reach from `least` to `most`,
 * both among them. */
export type SettingValues =
  | { readonly kind: 'choice'; readonly allowed: readonly string[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'modules' }
  | { readonly kind: 'dataset' }
  | {
      readonly kind: 'number';
      readonly whole: boolean;
      readonly least: number;
      readonly most: number;
    };

export interface SettingDefinition {
  /** `rtn_block_size` stands for `OPTION_RTN_BLOCK_SIZE` and `option.rtn_block_size`. */
  readonly key: string;
  /** Techniques that read it. */
  readonly techniques: readonly Technique[];
  readonly values: SettingValues;
  /** Undefined where there is none to fall back on. */
  readonly default: string | undefined;
  readonly meaning: string;
}

const EVERY_TECHNIQUE: readonly Technique[] = QUANTIZATION_TECHNIQUES;
/** Those that look at what goes through the model; fp8 does with the scheme FP8 only. */
const CALIBRATED: readonly Technique[] = ['awq', 'gptq', 'smoothquant', 'fp8'];
const BOOLEAN: SettingValues = { kind: 'boolean' };
const MODULES: SettingValues = { kind: 'modules' };
const GROUP_SIZES: SettingValues = { kind: 'choice', allowed: ['32', '64', '128', '-1'] };

function whole(least: number, most: number): SettingValues {
  return { kind: 'number', whole: true, least, most };
}

function fraction(least: number, most: number): SettingValues {
  return { kind: 'number', whole: false, least, most };
}

function ignoreList(technique: Technique, name: string): SettingDefinition {
  return {
    key: `${technique}_${name}`,
    techniques: [technique],
    values: MODULES,
    default: 'lm_head',
    meaning: 'modules that keep their precision',
  };
}

/** The optimizer's own settings. None of them is written to the result's `serving.properties`. */
export const SETTINGS: readonly SettingDefinition[] = [
  {
    key: 'quantize',
    techniques: EVERY_TECHNIQUE,
    values: { kind: 'choice', allowed: EVERY_TECHNIQUE },
    default: DEFAULT_TECHNIQUE,
    meaning: 'the quantization technique',
  },
  {
    key: 'evaluate',
    techniques: EVERY_TECHNIQUE,
    values: BOOLEAN,
    default: 'true',
    meaning: 'whether perplexity is measured before and after',
  },
  {
    key: 'eval_dataset',
    techniques: EVERY_TECHNIQUE,
    values: { kind: 'dataset' },
    default: undefined,
    meaning: 'text that perplexity is measured on',
  },
  {
    key: 'eval_tokens',
    techniques: EVERY_TECHNIQUE,
    values: whole(2, 100_000_000),
    default: undefined,
    meaning: 'most tokens that perplexity is measured on',
  },
  {
    key: 'max_perplexity_increase',
    techniques: EVERY_TECHNIQUE,
    values: fraction(1, 1000),
    default: undefined,
    meaning: 'most that perplexity after may be of perplexity before, such as 1.05',
  },
  {
    key: 'execution_provider',
    techniques: EVERY_TECHNIQUE,
    values: { kind: 'choice', allowed: ['cpu', 'webgpu', 'cuda'] },
    default: 'cpu',
    meaning: 'where forward passes run',
  },
  {
    key: 'fp8_scheme',
    techniques: ['fp8'],
    values: { kind: 'choice', allowed: ['FP8', 'FP8_DYNAMIC'] },
    default: 'FP8',
    meaning: 'static or dynamic activation scales',
  },
  ignoreList('fp8', 'ignore'),
  {
    key: 'rtn_weight_bit_width',
    techniques: ['rtn'],
    values: { kind: 'choice', allowed: ['4', '8'] },
    default: '4',
    meaning: 'bits of a weight',
  },
  {
    key: 'rtn_block_size',
    techniques: ['rtn'],
    values: GROUP_SIZES,
    default: '128',
    meaning: 'weights that share a scale, or -1 for one scale per output channel',
  },
  {
    key: 'rtn_zero_point',
    techniques: ['rtn'],
    values: BOOLEAN,
    default: 'false',
    meaning: 'whether each group has a zero point of its own',
  },
  ignoreList('rtn', 'ignore_layers'),
  ignoreList('int8', 'ignore_layers'),
  {
    key: 'awq_zero_point',
    techniques: ['awq'],
    values: BOOLEAN,
    default: 'true',
    meaning: 'whether each group has a zero point of its own',
  },
  {
    key: 'awq_block_size',
    techniques: ['awq'],
    values: GROUP_SIZES,
    default: '128',
    meaning: 'weights that share a scale, or -1 for one scale per output channel',
  },
  {
    key: 'awq_weight_bit_width',
    techniques: ['awq'],
    values: { kind: 'choice', allowed: ['4'] },
    default: '4',
    meaning: 'bits of a weight',
  },
  {
    key: 'awq_mm_version',
    techniques: ['awq'],
    values: { kind: 'choice', allowed: ['GEMM'] },
    default: 'GEMM',
    meaning: 'how weights are packed',
  },
  ignoreList('awq', 'ignore_layers'),
  {
    key: 'gptq_weight_bit_width',
    techniques: ['gptq'],
    values: { kind: 'choice', allowed: ['4', '8'] },
    default: '4',
    meaning: 'bits of a weight',
  },
  {
    key: 'gptq_block_size',
    techniques: ['gptq'],
    values: GROUP_SIZES,
    default: '128',
    meaning: 'weights that share a scale, or -1 for one scale per output channel',
  },
  {
    key: 'gptq_zero_point',
    techniques: ['gptq'],
    values: BOOLEAN,
    default: 'false',
    meaning: 'whether each group has a zero point of its own',
  },
  {
    key: 'gptq_order',
    techniques: ['gptq'],
    values: { kind: 'choice', allowed: ['natural', 'activity', 'activity-groups'] },
    default: 'activity',
    meaning: 'the order in which columns are rounded',
  },
  {
    key: 'gptq_damping',
    techniques: ['gptq'],
    values: fraction(0, 1),
    default: '0.01',
    meaning: 'what is added to the Gram matrix’s diagonal, relative to its mean',
  },
  {
    key: 'gptq_format',
    techniques: ['gptq'],
    values: { kind: 'choice', allowed: ['gptq', 'compressed-tensors'] },
    default: 'gptq',
    meaning: 'format of the result',
  },
  ignoreList('gptq', 'ignore_layers'),
  {
    key: 'smoothquant_alpha',
    techniques: ['smoothquant'],
    values: fraction(0, 1),
    default: '0.5',
    meaning: 'how much of the difficulty of rounding moves from inputs to weights',
  },
  ignoreList('smoothquant', 'ignore_layers'),
  {
    key: 'calib_dataset',
    techniques: CALIBRATED,
    values: { kind: 'dataset' },
    default: undefined,
    meaning: 'text to calibrate with',
  },
  {
    key: 'calib_size',
    techniques: CALIBRATED,
    values: whole(1, 1_000_000),
    default: '512',
    meaning: 'samples of calibration data',
  },
  {
    key: 'calib_seed',
    techniques: CALIBRATED,
    values: whole(0, 2 ** 32 - 1),
    default: '42',
    meaning: 'seed of the choice of samples',
  },
];

export function findSetting(key: string): SettingDefinition | undefined {
  return SETTINGS.find((setting) => setting.key === key);
}

/** The settings that a technique reads, those common to all first. */
export function settingsOf(technique: Technique): readonly SettingDefinition[] {
  return SETTINGS.filter(({ techniques }) => techniques.includes(technique));
}
