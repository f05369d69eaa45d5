/**
 * Values in messages, written as the AWS CLI writes them: it is a Python program, and scripts match
 * its messages.
 */
import { Decimal, type InputValue, isInputList } from './input-value.js';

/** A value as the AWS CLI prints it: text as it is, anything else as in a program. */
export const pythonText = (value: InputValue): string =>
  typeof value === 'string' ? value : pythonRepr(value);

/** A value as it would stand in a program: `'a'`, `['a', 1]`, `{'a': True}`. */
export function pythonRepr(value: InputValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quote(value);
  if (value instanceof Decimal) {
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value);
  }
  if (value instanceof Uint8Array) return `b${quote(Buffer.from(value).toString('latin1'))}`;
  if (isInputList(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  const entries = Object.entries(value);
  return `{${entries.map(([name, item]) => `${quote(name)}: ${pythonRepr(item)}`).join(', ')}}`;
}

/** The name of the value's type, for example `<class 'str'>`. */
export function pythonType(value: InputValue): string {
  return `<class '${pythonTypeName(value)}'>`;
}

function pythonTypeName(value: InputValue): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'int';
  if (typeof value === 'string') return 'str';
  if (value instanceof Decimal) return 'float';
  if (value instanceof Uint8Array) return 'bytes';
  return isInputList(value) ? 'list' : 'dict';
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Single quotes, unless there are single and no double ones inside. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  let quoted = '';
  for (const character of text) {
    const escaped = ESCAPES[character] ?? (character === mark ? `\\${mark}` : undefined);
    const code = character.charCodeAt(0);
    const control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    quoted += escaped ?? (control ? `\\x${code.toString(16).padStart(2, '0')}` : character);
  }
  return mark + quoted + mark;
}
