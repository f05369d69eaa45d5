/** Quantization techniques that can be asked for. */
export type Technique = 'fp8' | 'rtn' | 'int8' | 'awq' | 'gptq' | 'smoothquant';

/** Those that this version carries out. */
export const BUILT_TECHNIQUES = ['fp8', 'rtn', 'int8'] as const satisfies readonly Technique[];
export type BuiltTechnique = (typeof BUILT_TECHNIQUES)[number];

/** Those that are known by name, so that asking for one is answered plainly. */
export const LATER_TECHNIQUES = [
  'awq',
  'gptq',
  'smoothquant',
] as const satisfies readonly Technique[];

/** Technique of a quantization step that names none, as in the LMI containers. */
export const DEFAULT_TECHNIQUE: Technique = 'awq';

/** What a setting's value may be. `modules` is a comma-separated list of module patterns; `unread`
 * stands for settings of techniques that are not built, of which only the name is known. */
export type SettingValues =
  | { readonly kind: 'choice'; readonly allowed: readonly string[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'modules' }
  | { readonly kind: 'unread' };

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

const EVERY_TECHNIQUE: readonly Technique[] = [...BUILT_TECHNIQUES, ...LATER_TECHNIQUES];
const BOOLEAN: SettingValues = { kind: 'boolean' };
const MODULES: SettingValues = { kind: 'modules' };

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
    default: 'false',
    meaning: 'whether perplexity is measured before and after',
  },
  {
    key: 'fp8_scheme',
    techniques: ['fp8'],
    values: { kind: 'choice', allowed: ['FP8', 'FP8_DYNAMIC'] },
    default: 'FP8',
    meaning: 'static or dynamic activation scales',
  },
  {
    key: 'fp8_ignore',
    techniques: ['fp8'],
    values: MODULES,
    default: 'lm_head',
    meaning: 'modules that keep their precision',
  },
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
    values: { kind: 'choice', allowed: ['32', '64', '128', '-1'] },
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
  {
    key: 'rtn_ignore_layers',
    techniques: ['rtn'],
    values: MODULES,
    default: 'lm_head',
    meaning: 'modules that keep their precision',
  },
  {
    key: 'int8_ignore_layers',
    techniques: ['int8'],
    values: MODULES,
    default: 'lm_head',
    meaning: 'modules that keep their precision',
  },
  ...['zero_point', 'block_size', 'weight_bit_width', 'mm_version', 'ignore_layers'].map(
    (name): SettingDefinition => ({
      key: `awq_${name}`,
      techniques: ['awq'],
      values: { kind: 'unread' },
      default: undefined,
      meaning: 'a setting of awq',
    }),
  ),
  {
    key: 'calib_size',
    techniques: LATER_TECHNIQUES,
    values: { kind: 'unread' },
    default: undefined,
    meaning: 'samples of calibration data',
  },
];

export function isBuilt(technique: string): technique is BuiltTechnique {
  return (BUILT_TECHNIQUES as readonly string[]).includes(technique);
}

export function findSetting(key: string): SettingDefinition | undefined {
  return SETTINGS.find((setting) => setting.key === key);
}

/** The settings that a technique reads, those common to all first. */
export function settingsOf(technique: BuiltTechnique): readonly SettingDefinition[] {
  return SETTINGS.filter(({ techniques }) => techniques.includes(technique));
}
