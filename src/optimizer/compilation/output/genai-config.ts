import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { HfConfig } from '../../../checkpoint/hf-config.js';
import type { JsonObject, JsonValue } from '../../../checkpoint/json.js';
import { CompilationError } from '../errors.js';
import { IDS_INPUT, LOGITS_OUTPUT, MASK_INPUT } from '../graph/names.js';

export const GENAI_CONFIG_FILE = 'genai_config.json';

/** What onnxruntime-genai calls the architectures that it has names for; the others are decoders like any
 * other to it. */
const MODEL_TYPES: Readonly<Record<string, string>> = {
  llama: 'llama',
  mistral: 'mistral',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  phi3: 'phi3',
  gemma2: 'gemma2',
  gemma3: 'gemma3_text',
};
const OTHER_TYPE = 'decoder';

/** Values of the search where the model's own configuration has none. */
const SEARCH_DEFAULTS = {
  diversity_penalty: 0,
  do_sample: false,
  length_penalty: 1,
  no_repeat_ngram_size: 0,
  num_beams: 1,
  num_return_sequences: 1,
  repetition_penalty: 1,
  temperature: 1,
  top_k: 50,
  top_p: 1,
} as const;

/** Left alone, onnxruntime-genai takes half of the processors; this leaves it to ONNX Runtime, which takes every
 * physical core. */
const RUNTIME_DECIDES = 0;

/** What a graph is called and how long its sequences may be. */
export interface CompiledFacts {
  readonly fileName: string;
  readonly positions: number;
  /** Whether ONNX Runtime has nothing left to rewrite when it loads the graph. */
  readonly optimized: boolean;
}

/** The text of `genai_config.json`, by which onnxruntime-genai loads the folder that it is in.
 * Source: its documentation of the file.
 * @throws CompilationError if the model says nowhere which token ends a text. */
export function genaiConfig(
  config: HfConfig,
  generation: JsonObject,
  model: ForwardModel,
  { fileName, positions, optimized }: CompiledFacts,
): string {
  const said = (key: string): JsonValue | undefined =>
    generation[key] ?? config.languageModel[key] ?? config.values[key] ?? undefined;
  const end = said('eos_token_id');
  const [firstEnd] = Array.isArray(end) ? end : [end];
  if (firstEnd === undefined) {
    throw new CompilationError(
      'neither config.json nor generation_config.json has an eos_token_id, which onnxruntime-genai needs',
    );
  }
  const contents = {
    model: {
      type: MODEL_TYPES[model.architecture] ?? OTHER_TYPE,
      bos_token_id: said('bos_token_id') ?? firstEnd,
      eos_token_id: end,
      pad_token_id: said('pad_token_id') ?? firstEnd,
      context_length: positions,
      vocab_size: model.vocabulary,
      decoder: decoderSection(model, fileName, optimized),
    },
    search: {
      ...searchSettings(generation),
      early_stopping: true,
      max_length: positions,
      min_length: 0,
      past_present_share_buffer: true,
    },
  };
  return `${JSON.stringify(contents, null, 2)}\n`;
}

/** The graph: what it is called, the sizes of its cache, and the names of its inputs and outputs. */
function decoderSection(model: ForwardModel, fileName: string, optimized: boolean) {
  const [block] = model.blocks;
  if (block === undefined) throw new CompilationError('the model has no blocks');
  const { attention } = block;
  return {
    session_options: {
      log_id: 'onnxruntime-genai',
      intra_op_num_threads: RUNTIME_DECIDES,
      provider_options: [],
      ...(optimized ? { graph_optimization_level: 'ORT_DISABLE_ALL' } : {}),
    },
    filename: fileName,
    head_size: attention.headSize,
    hidden_size: model.hiddenSize,
    num_attention_heads: attention.heads,
    num_key_value_heads: attention.keyValueHeads,
    num_hidden_layers: model.blocks.length,
    inputs: {
      input_ids: IDS_INPUT,
      attention_mask: MASK_INPUT,
      past_key_names: 'past_key_values.%d.key',
      past_value_names: 'past_key_values.%d.value',
    },
    outputs: {
      logits: LOGITS_OUTPUT,
      present_key_names: 'present.%d.key',
      present_value_names: 'present.%d.value',
    },
  };
}

/** How tokens are chosen: as the model's own configuration says, where its values are of the right type. */
function searchSettings(generation: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(SEARCH_DEFAULTS).map(([key, fallback]) => {
      const value = generation[key];
      return [key, typeof value === typeof fallback ? (value ?? fallback) : fallback];
    }),
  );
}
