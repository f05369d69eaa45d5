import { basename } from 'node:path';
import type { HfConfig } from '../../../checkpoint/hf-config.js';
import { isJsonObject } from '../../../checkpoint/json.js';
import type { CompiledDtype } from '../../settings/compilation-definitions.js';
import { type CompiledFiles, TRANSFORMERS_JS_DTYPES } from './layouts.js';

const KEY = 'transformers.js_config';

/** The text of `config.json` with what Transformers.js needs to find a graph whose weights are in a file of
 * their own, and to make a key/value cache for it. */
export function transformersJsConfig(
  config: HfConfig,
  files: CompiledFiles,
  dtype: CompiledDtype,
): string {
  const { [KEY]: before, ...values } = config.values;
  const own = {
    ...(isJsonObject(before) ? before : {}),
    dtype: TRANSFORMERS_JS_DTYPES[dtype],
    use_external_data_format: { [basename(files.graph)]: 1 },
    ...(dtype === 'fp16' ? { kv_cache_dtype: { [TRANSFORMERS_JS_DTYPES.fp16]: 'float16' } } : {}),
  };
  return `${JSON.stringify({ ...values, [KEY]: own }, null, 2)}\n`;
}
