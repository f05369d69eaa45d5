/**
 * JSON as it came over the wire. JavaScript has one type of number and the AWS CLI prints two, and
 * integers of any length, so a number that a plain `number` would print differently is kept beside
 * its text.
 */
import { isInteger, parse } from 'lossless-json';

export type WireValue =
  | null
  | boolean
  | number
  | string
  | ExactNumber
  | readonly WireValue[]
  | WireObject;

export type WireObject = { readonly [name: string]: WireValue };

/**
 * A number with the text to print for it: `1.0`, or an integer beyond 2⁵³. It is a `Number`, so it
 * compares and adds up like one.
 */
export class ExactNumber extends Number {
  constructor(
    value: number,
    readonly text: string,
  ) {
    super(value);
  }

  override toString(): string {
    return this.text;
  }
}

export const isWireObject = (value: WireValue): value is WireObject =>
  value !== null &&
  typeof value === 'object' &&
  !Array.isArray(value) &&
  !(value instanceof ExactNumber);

export const isWireList = (value: WireValue): value is readonly WireValue[] => Array.isArray(value);

/**
 * Parses JSON without loss.
 *
 * @throws SyntaxError where the text is not JSON.
 */
export function parseWireJson(text: string): WireValue {
  return parse(text, undefined, readNumber) as WireValue;
}

function readNumber(text: string): number | ExactNumber {
  return isInteger(text) ? integerNumber(BigInt(text)) : floatNumber(Number(text));
}

/** A value that is a float wherever types matter: 2 prints as `2.0`. */
export function floatNumber(value: number): number | ExactNumber {
  const text = floatText(value);
  return text === String(value) ? value : new ExactNumber(value, text);
}

/** The bounds between which Python writes a float without an exponent. */
const MIN_POSITIONAL_EXPONENT = -5;
const MAX_POSITIONAL_EXPONENT = 16;

/** The shortest text that reads back as the same double, spelled as Python's `repr` spells it. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent < MIN_POSITIONAL_EXPONENT + 1 || exponent >= MAX_POSITIONAL_EXPONENT) {
    const sign = exponent < 0 ? '-' : '+';
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** An integer of any length. */
export const integerNumber = (value: bigint): number | ExactNumber =>
  Number.isSafeInteger(Number(value))
    ? Number(value)
    : new ExactNumber(Number(value), value.toString());

/** A number's text: integers in full, floats as Python spells them. */
export function numberText(value: number | ExactNumber): string {
  if (value instanceof ExactNumber) return value.text;
  return Number.isSafeInteger(value) ? String(value) : floatText(value);
}

/** Text order by code point, as in Python; JavaScript's own order is by UTF-16 unit. */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    if (left.charCodeAt(index) === right.charCodeAt(index)) continue;
    // Where the first difference is inside a surrogate pair, the pairs' leads are equal, and the
    // trails order as the code points do.
    return (left.codePointAt(index) ?? 0) - (right.codePointAt(index) ?? 0);
  }
  return left.length - right.length;
}

export const sortedKeys = (object: WireObject): readonly string[] =>
  Object.keys(object).sort(compareCodePoints);
