import type { SettingValues } from './definitions.js';

/** What the weights of linear layers become. */
const COMPILED_DTYPES = ['fp32', 'fp16', 'int8', 'int4'] as const;
export type CompiledDtype = (typeof COMPILED_DTYPES)[number];

/** Where compiled models are laid out for. */
const COMPILED_LAYOUTS = ['genai', 'transformers_js'] as const;
export type CompiledLayout = (typeof COMPILED_LAYOUTS)[number];

/** What hardware the saved graph is for: any, or only machines like the one that compiles. */
const COMPILATION_TARGETS = ['portable', 'this_machine'] as const;
export type CompilationTarget = (typeof COMPILATION_TARGETS)[number];

/** What the two layers that know the vocabulary become: the token embeddings and the output layer. */
const VOCABULARY_DTYPES = ['auto', 'float', 'int8', 'int4'] as const;
export type VocabularyDtype = (typeof VOCABULARY_DTYPES)[number];

export interface CompilationDefinition {
  /** `compile_layout` stands for `OPTION_COMPILE_LAYOUT` and `option.compile_layout`. */
  readonly key: string;
  readonly values: SettingValues;
  /** Undefined where the model decides. */
  readonly default: string | undefined;
  readonly meaning: string;
}

function choice(allowed: readonly string[]): SettingValues {
  return { kind: 'choice', allowed };
}

function whole(least: number, most: number): SettingValues {
  return { kind: 'number', whole: true, least, most };
}

const BOOLEAN: SettingValues = { kind: 'boolean' };

/** The settings of compilation. Those of the serving containers keep their names; the others begin with
 * `compile_`. */
export const COMPILATION_SETTINGS = [
  {
    key: 'dtype',
    values: choice(['auto', ...COMPILED_DTYPES]),
    default: 'auto',
    meaning:
      'what weights become; auto keeps the codes of a quantized model, and makes others fp32',
  },
  {
    key: 'n_positions',
    values: whole(16, 16_777_216),
    default: undefined,
    meaning: 'longest sequence, prompt and answer together; the model’s own unless given',
  },
  {
    key: 'max_rolling_batch_size',
    values: whole(1, 65_536),
    default: '1',
    meaning: 'sequences at a time, for what the report says of memory',
  },
  {
    key: 'optimization_level',
    values: choice(['0', '1', '2', '3']),
    default: undefined,
    meaning:
      '0 leaves operators apart, 1 fuses them (the default); 2 and 3 (the default for this machine) add what ONNX Runtime does for this machine alone',
  },
  {
    key: 'compile_target',
    values: choice(COMPILATION_TARGETS),
    default: 'portable',
    meaning: 'whether the graph is for any hardware or for machines like this one',
  },
  {
    key: 'compile_layout',
    values: choice(COMPILED_LAYOUTS),
    default: 'genai',
    meaning: 'which program’s folder the result is',
  },
  {
    key: 'compile_block_size',
    values: choice(['16', '32', '64', '128', '256']),
    default: '32',
    meaning: 'weights that share a scale, where weights are rounded here',
  },
  {
    key: 'compile_zero_point',
    values: BOOLEAN,
    default: 'false',
    meaning: 'whether each block has a zero point of its own, where weights are rounded here',
  },
  {
    key: 'compile_accuracy_level',
    values: choice(['0', '1', '4']),
    default: '4',
    meaning: 'what activations are in products with codes: 0 and 1 for f32, 4 for int8',
  },
  {
    key: 'compile_head_dtype',
    values: choice(VOCABULARY_DTYPES),
    default: 'auto',
    meaning: 'what the output layer becomes in int4 and int8 models; auto is int8',
  },
  {
    key: 'compile_embedding_dtype',
    values: choice(VOCABULARY_DTYPES),
    default: 'auto',
    meaning:
      'what the token embeddings become in int4 and int8 models; auto is int8, or the output layer’s own where the model ties the two',
  },
  {
    key: 'compile_measure',
    values: BOOLEAN,
    default: 'true',
    meaning: 'whether speed, memory and load time are measured, beside the fp32 graph',
  },
] as const satisfies readonly CompilationDefinition[];

export type CompilationKey = (typeof COMPILATION_SETTINGS)[number]['key'];

/** Those among the settings of quantization that compilation reads too. */
export const SHARED_SETTINGS = ['evaluate', 'eval_dataset', 'eval_tokens'] as const;
