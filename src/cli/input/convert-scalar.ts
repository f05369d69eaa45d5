import type { Shape } from '../../service-model/shape.js';
import { parseInteger } from '../arguments/argument-parser.js';
import { type InputValue, isInputList } from './input-value.js';
import { ConversionError } from './parameter-errors.js';
import { pythonRepr } from './python-text.js';

/**
 * Gives a value that came as text the type of its scalar shape. A boolean that is neither true nor
 * false stays text, which validation then names.
 *
 * @throws ConversionError where an integer or a boolean can't be made of the value.
 */
export function convertScalar(shape: Shape, value: InputValue): InputValue {
  switch (shape.type) {
    case 'integer':
      return toInteger(value);
    case 'number':
      return toNumber(value);
    case 'boolean':
      return toBoolean(value);
    default:
      return value;
  }
}

function toInteger(value: InputValue): number {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new ConversionError(`an integer is needed, not ${nounOf(value)}`);
  }
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
  const integer = parseInteger(text);
  if (integer !== undefined) return integer;
  throw new ConversionError(`invalid literal for int() with base 10: ${pythonRepr(value)}`);
}

function toNumber(value: InputValue): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (!Number.isNaN(number)) return number;
  throw new ConversionError(`could not convert to a number: ${pythonRepr(value)}`);
}

function toBoolean(value: InputValue): InputValue {
  if (typeof value !== 'string') {
    throw new ConversionError(`true or false is needed, not ${nounOf(value)}`);
  }
  const lower = value.toLowerCase();
  if (lower === 'true') return true;
  return lower === 'false' ? false : value;
}

function nounOf(value: InputValue): string {
  if (isInputList(value)) return 'a list';
  return value instanceof Uint8Array ? 'bytes' : 'a structure';
}
