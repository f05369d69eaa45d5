import type { InputObject, InputValue } from '#burnish/cli/input/input-value.js';
import { isInputList, isInputObject } from '#burnish/cli/input/input-value.js';

/** Writes a structure of strings, lists and structures as shorthand. */
export const shorthandText = (value: InputObject): string => pairs(value);

const pairs = (value: InputObject): string =>
  Object.entries(value)
    .map(([key, item]) => `${key}=${element(item)}`)
    .join(',');

function element(value: InputValue): string {
  if (isInputList(value)) return `[${value.map(element).join(',')}]`;
  if (isInputObject(value)) return `{${pairs(value)}}`;
  return quoted(String(value));
}

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
