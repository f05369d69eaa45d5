import type { SourceMeasure } from './measure-source.js';

/** Sizes of a decoder that decide how much memory its forward pass takes. */
export interface ModelSize {
  readonly hidden: number;
  /** Of one feed-forward network, or of one expert. */
  readonly intermediate: number;
  /** 1 where there are none. */
  readonly experts: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly maxPositions: number;
}

/** Beyond what any model has; a configuration that says more is wrong, and its step says so. */
const MAX_SIZE = 2 ** 20;

/** Where a configuration names no greatest length: as long as samples and windows ever get by default. */
const DEFAULT_POSITIONS = 2048;

/** Reads the sizes from a configuration; undefined where it is none of a decoder. */
export function modelSize({ config = {} }: SourceMeasure): ModelSize | undefined {
  const size = (...keys: readonly string[]): number | undefined => {
    for (const key of keys) {
      const value = config[key];
      if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_SIZE) {
        return value;
      }
    }
    return undefined;
  };
  const hidden = size('hidden_size');
  const experts = size('num_local_experts', 'num_experts') ?? 1;
  const intermediate =
    experts > 1 ? size('moe_intermediate_size', 'intermediate_size') : size('intermediate_size');
  const heads = size('num_attention_heads');
  if (hidden === undefined || intermediate === undefined || heads === undefined) return undefined;
  return {
    hidden,
    intermediate,
    experts,
    heads,
    keyValueHeads: size('num_key_value_heads') ?? heads,
    headSize: size('head_dim') ?? Math.ceil(hidden / heads),
    maxPositions: size('max_position_embeddings') ?? DEFAULT_POSITIONS,
  };
}
