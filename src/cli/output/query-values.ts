import { CliError, EXIT_STATUS } from './errors.js';
import {
  compareCodePoints,
  ExactNumber,
  isWireList,
  isWireObject,
  type WireValue,
} from './wire-value.js';

/** `&expression`, which functions apply to each element of a list. */
export class ExpressionReference {
  constructor(readonly evaluate: (value: WireValue) => WireValue) {}
}

export const isNumber = (value: unknown): value is number | ExactNumber =>
  typeof value === 'number' || value instanceof ExactNumber;

/** What JMESPath takes for false: null, false and whatever is empty; zero is true. */
export function isFalse(value: WireValue): boolean {
  if (value === null || value === false || value === '') return true;
  if (isWireList(value)) return value.length === 0;
  return isWireObject(value) && Object.keys(value).length === 0;
}

/** Equality of JMESPath: by content, numbers by their value. */
export function sameValue(left: WireValue, right: WireValue): boolean {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right) === 0;
  if (isWireList(left) && isWireList(right)) {
    return (
      left.length === right.length &&
      left.every((element, index) => sameValue(element, right[index] ?? null))
    );
  }
  if (isWireObject(left) && isWireObject(right)) {
    const names = Object.keys(left);
    return (
      names.length === Object.keys(right).length &&
      names.every(
        (name) => Object.hasOwn(right, name) && sameValue(left[name] ?? null, right[name] ?? null),
      )
    );
  }
  return left === right;
}

/**
 * The order of two numbers or two texts; undefined where a side is neither.
 *
 * @throws CliError where one is a number and the other a text.
 */
export function compareValues(left: WireValue, right: WireValue): number | undefined {
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right);
  if (typeof left === 'string' && typeof right === 'string') return compareCodePoints(left, right);
  const comparable = (value: WireValue) => isNumber(value) || typeof value === 'string';
  if (!comparable(left) || !comparable(right)) return undefined;
  throw new CliError(
    '--query compares a number with a text; make them one type, with to_number() or to_string()',
    EXIT_STATUS.failure,
  );
}

const INTEGER = /^-?\d+$/;

/** Integers of any length compare exactly. */
function compareNumbers(left: number | ExactNumber, right: number | ExactNumber): number {
  const [leftText, rightText] = [left.toString(), right.toString()];
  if (INTEGER.test(leftText) && INTEGER.test(rightText)) {
    const [a, b] = [BigInt(leftText), BigInt(rightText)];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return left.valueOf() - right.valueOf();
}
