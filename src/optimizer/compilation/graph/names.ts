/** Inputs and outputs of a decoder beside the key/value cache, as onnxruntime-genai and Transformers.js know
 * them. */
export const IDS_INPUT = 'input_ids';
export const MASK_INPUT = 'attention_mask';
export const LOGITS_OUTPUT = 'logits';

/** Names of one block's part of the key/value cache, as onnxruntime-genai and Transformers.js know them. */
export function cacheNames(index: number): {
  readonly past: { readonly key: string; readonly value: string };
  readonly present: { readonly key: string; readonly value: string };
} {
  const names = (when: string) => ({
    key: `${when}.${index}.key`,
    value: `${when}.${index}.value`,
  });
  return { past: names('past_key_values'), present: names('present') };
}
