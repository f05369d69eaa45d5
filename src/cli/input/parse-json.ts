import { parse } from 'lossless-json';
import { Decimal, type InputValue } from './input-value.js';

/**
 * Parses JSON, keeping apart `1` and `1.0`. The last of repeated keys counts.
 *
 * @throws SyntaxError that names the position.
 */
export function parseJson(text: string): InputValue {
  return parse(text, undefined, {
    parseNumber: (literal) => (/^-?\d+$/.test(literal) ? Number(literal) : new Decimal(literal)),
    onDuplicateKey: ({ newValue }) => newValue,
  }) as InputValue;
}
