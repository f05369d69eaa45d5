import { CheckpointError } from '../../checkpoint/errors.js';
import { CONFIG_FILE, type HfConfig } from '../../checkpoint/hf-config.js';
import type { JsonObject } from '../../checkpoint/json.js';

const KEY = 'quantization_config';

/** The text of the source's `config.json` with a `quantization_config` as its last member. All else
 * keeps its bytes: a parser's copy would write numbers and Python's Infinity differently.
 * @throws CheckpointError if the member is there as null in a file that only Python reads. */
export function withQuantizationConfig(config: HfConfig, value: JsonObject): string {
  const { text } = config;
  if (Object.hasOwn(config.values, KEY)) return replaceNull(text, value);
  const end = text.lastIndexOf('}');
  const body = text.slice(0, end).trimEnd();
  const separator = body.endsWith('{') ? '' : ',';
  const indent = /\n([ \t]+)"/.exec(text)?.[1];
  const member =
    indent === undefined
      ? ` "${KEY}": ${JSON.stringify(value)}`
      : `\n${indent}"${KEY}": ${JSON.stringify(value, null, indent).replaceAll('\n', `\n${indent}`)}`;
  return body + separator + member + text.slice(body.length);
}

function replaceNull(text: string, value: JsonObject): string {
  let values: JsonObject;
  try {
    values = JSON.parse(text) as JsonObject;
  } catch {
    throw new CheckpointError(`has ${KEY}: null beside numbers that are not JSON; remove it`, {
      file: CONFIG_FILE,
    });
  }
  return `${JSON.stringify({ ...values, [KEY]: value }, null, 2)}\n`;
}
