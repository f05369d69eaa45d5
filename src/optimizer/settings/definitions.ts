/** Quantization techniques. */
export const QUANTIZATION_TECHNIQUES = [
  'fp8',
  'rtn',
  'int8',
  'awq',
  'gptq',
  'gptaq',
  'smoothquant',
] as const;
export type Technique = (typeof QUANTIZATION_TECHNIQUES)[number];

/** Technique of a quantization step that names none, as in the LMI containers. */
const DEFAULT_TECHNIQUE: Technique = 'awq';

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
const CALIBRATED: readonly Technique[] = ['awq', 'gptq', 'gptaq', 'smoothquant', 'fp8'];
const BOOLEAN: SettingValues = { kind: 'boolean' };
const MODULES: SettingValues = { kind: 'modules' };
const BITS: SettingValues = { kind: 'choice', allowed: ['2', '3', '4', '8'] };
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

/** How weights become integers. */
function integers(technique: Technique, zeroPoint: 'true' | 'false'): readonly SettingDefinition[] {
  return [
    {
      key: `${technique}_weight_bit_width`,
      techniques: [technique],
      values: BITS,
      default: '4',
      meaning: 'bits of a weight',
    },
    {
      key: `${technique}_block_size`,
      techniques: [technique],
      values: GROUP_SIZES,
      default: '128',
      meaning: 'weights that share a scale, or -1 for one scale per output channel',
    },
    {
      key: `${technique}_zero_point`,
      techniques: [technique],
      values: BOOLEAN,
      default: zeroPoint,
      meaning: 'whether each group has a zero point of its own',
    },
  ];
}

/** How columns are rounded one after the other. */
function compensating(technique: 'gptq' | 'gptaq', damping: string): readonly SettingDefinition[] {
  return [
    ...integers(technique, 'false'),
    {
      key: `${technique}_order`,
      techniques: [technique],
      values: { kind: 'choice', allowed: ['natural', 'activity', 'activity-groups'] },
      default: 'activity',
      meaning: 'the order in which columns are rounded',
    },
    {
      key: `${technique}_damping`,
      techniques: [technique],
      values: fraction(0, 1),
      default: damping,
      meaning: 'what is added to the Gram matrix’s diagonal, relative to its mean',
    },
    {
      key: `${technique}_format`,
      techniques: [technique],
      values: { kind: 'choice', allowed: ['gptq', 'compressed-tensors'] },
      default: 'gptq',
      meaning: 'format of the result',
    },
  ];
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
  ...integers('rtn', 'false'),
  ignoreList('rtn', 'ignore_layers'),
  ignoreList('int8', 'ignore_layers'),
  ...integers('awq', 'true'),
  {
    key: 'awq_format',
    techniques: ['awq'],
    values: { kind: 'choice', allowed: ['awq', 'compressed-tensors'] },
    default: 'awq',
    meaning: 'format of the result; awq takes 4 bits and one group size only',
  },
  {
    key: 'awq_mm_version',
    techniques: ['awq'],
    values: { kind: 'choice', allowed: ['GEMM'] },
    default: 'GEMM',
    meaning: 'how weights are packed',
  },
  ignoreList('awq', 'ignore_layers'),
  ...compensating('gptq', '0.01'),
  ignoreList('gptq', 'ignore_layers'),
  ...compensating('gptaq', '0.05'),
  {
    key: 'gptaq_scaling',
    techniques: ['gptaq'],
    values: BOOLEAN,
    default: 'false',
    meaning: 'whether input channels are scaled by their activity first, as in AWQ',
  },
  {
    key: 'gptaq_sweeps',
    techniques: ['gptaq'],
    values: whole(0, 100),
    default: '0',
    meaning: 'passes of coordinate descent over codes and scales after rounding',
  },
  ignoreList('gptaq', 'ignore_layers'),
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
  {
    key: 'calib_threads',
    techniques: CALIBRATED,
    values: whole(1, 1024),
    default: undefined,
    meaning: 'processor threads of forward passes; as many as there are unless given',
  },
];

/** The setting of that key, without `OPTION_` and in lower case. */
export function findSetting(key: string): SettingDefinition | undefined {
  return SETTINGS.find((setting) => setting.key === key);
}

/** The settings that a technique reads, those common to all first. */
export function settingsOf(technique: Technique): readonly SettingDefinition[] {
  return SETTINGS.filter(({ techniques }) => techniques.includes(technique));
}
