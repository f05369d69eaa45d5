/** The built-in functions of JMESPath. */
import { CliError, EXIT_STATUS } from './errors.js';
import { compareValues, ExpressionReference, isNumber, sameValue } from './query-values.js';
import { scalarText } from './scalar-text.js';
import {
  type ExactNumber,
  floatNumber,
  integerNumber,
  isWireList,
  isWireObject,
  numberText,
  parseWireJson,
  type WireObject,
  type WireValue,
} from './wire-value.js';

type Argument = WireValue | ExpressionReference;

type TypeName =
  | 'array'
  | 'array-number'
  | 'array-string'
  | 'boolean'
  | 'expref'
  | 'null'
  | 'number'
  | 'object'
  | 'string';

interface QueryFunction {
  /** The types that each argument may have; none means any. */
  readonly signature: readonly (readonly TypeName[])[];
  /** The last argument may come any number of times. */
  readonly variadic?: true;
  readonly apply: (...args: readonly Argument[]) => WireValue;
}

/** @throws CliError where there is no such function, or an argument is of the wrong type. */
export function callFunction(name: string, args: readonly Argument[]): WireValue {
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (known === undefined) throw failure(`Unknown function: ${name}()`);
  checkArity(name, known, args.length);
  for (const [index, types] of known.signature.entries()) {
    const argument = args[index];
    if (types.length > 0 && argument !== undefined) checkType(name, argument, types);
  }
  return known.apply(...args);
}

const failure = (message: string) => new CliError(message, EXIT_STATUS.failure);

function checkArity(name: string, known: QueryFunction, count: number): void {
  const wanted = known.signature.length;
  if (known.variadic === true ? count >= wanted : count === wanted) return;
  const atLeast = known.variadic === true ? 'at least ' : '';
  const noun = wanted === 1 ? 'argument' : 'arguments';
  throw failure(`Expected ${atLeast}${wanted} ${noun} for function ${name}(), received ${count}`);
}

function checkType(name: string, argument: Argument, types: readonly TypeName[]): void {
  const actual = typeName(argument);
  const refuse = (value: Argument, received: string) => {
    const shown = value instanceof ExpressionReference ? 'an expression' : scalarText(value);
    return failure(
      `In function ${name}(), invalid type for value: ${shown}, expected one of: [${types
        .map((type) => `'${type}'`)
        .join(', ')}], received: "${received}"`,
    );
  };
  const accepted = types.filter((type) => type.split('-')[0] === actual);
  if (accepted.length === 0) throw refuse(argument, actual);
  const elementTypes = accepted.flatMap((type) => type.split('-').slice(1));
  if (elementTypes.length === 0) return;
  const elements = argument as readonly WireValue[];
  const [first] = elements;
  if (first === undefined) return;
  for (const element of elements) {
    const elementType = typeName(element);
    if (!elementTypes.includes(elementType) || elementType !== typeName(first)) {
      throw refuse(element, elementType);
    }
  }
}

function typeName(value: Argument): string {
  if (value instanceof ExpressionReference) return 'expref';
  if (value === null) return 'null';
  if (isNumber(value)) return 'number';
  if (isWireList(value)) return 'array';
  return isWireObject(value) ? 'object' : typeof value;
}

type Key = string | number | ExactNumber;

/** The key of every element, all of one of the types and, if told so, of the same. */
function keysOf(
  name: string,
  list: readonly WireValue[],
  expression: ExpressionReference,
  sameType: boolean,
): readonly Key[] {
  let types: readonly TypeName[] = ['number', 'string'];
  return list.map((element, index) => {
    const key = expression.evaluate(element);
    checkType(name, key, types);
    if (sameType && index === 0) types = [isNumber(key) ? 'number' : 'string'];
    return key as Key;
  });
}

const order = (left: WireValue, right: WireValue): number => compareValues(left, right) ?? 0;

/** The first element whose key no other's exceeds in the given direction. */
function extreme(
  name: string,
  list: readonly WireValue[],
  expression: ExpressionReference,
  direction: 1 | -1,
): WireValue {
  const keys = keysOf(name, list, expression, false);
  let best = 0;
  for (const [index, key] of keys.entries()) {
    if (order(key, keys[best] ?? null) * direction > 0) best = index;
  }
  return list[best] ?? null;
}

function sum(list: readonly (number | ExactNumber)[]): number | ExactNumber {
  if (list.every((item) => /^-?\d+$/.test(item.toString()))) {
    const total = list.reduce((partial: bigint, item) => partial + BigInt(item.toString()), 0n);
    return integerNumber(total);
  }
  return floatNumber(list.reduce((partial: number, item) => partial + item.valueOf(), 0));
}

const rounded = (value: number | ExactNumber, round: (value: number) => number) =>
  /^-?\d+$/.test(numberText(value)) ? value : integerNumber(BigInt(round(value.valueOf())));

function toNumber(text: string): WireValue {
  const trimmed = text.trim();
  if (/^[-+]?\d+$/.test(trimmed)) return integerNumber(BigInt(trimmed.replace('+', '')));
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(trimmed)) return null;
  return floatNumber(Number(trimmed));
}

/** JSON without spaces, characters beyond ASCII escaped. */
function compactJson(value: WireValue): string {
  if (isNumber(value)) return numberText(value);
  if (isWireList(value)) return `[${value.map(compactJson).join(',')}]`;
  if (isWireObject(value)) {
    const entries = Object.entries(value);
    return `{${entries.map(([name, item]) => `${asciiJson(name)}:${compactJson(item)}`).join(',')}}`;
  }
  return asciiJson(value);
}

const asciiJson = (value: null | boolean | string): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const sorted = (list: readonly WireValue[]) => [...list].sort(order);

const FUNCTIONS: Readonly<Record<string, QueryFunction>> = {
  abs: {
    signature: [['number']],
    apply: (value) => {
      const text = numberText(value as number);
      return text.startsWith('-') ? parseWireJson(text.slice(1)) : (value as WireValue);
    },
  },
  avg: {
    signature: [['array-number']],
    apply: (list) => {
      const numbers = list as readonly number[];
      return numbers.length === 0 ? null : floatNumber(sum(numbers).valueOf() / numbers.length);
    },
  },
  ceil: { signature: [['number']], apply: (value) => rounded(value as number, Math.ceil) },
  contains: {
    signature: [['array', 'string'], []],
    apply: (subject, search) => {
      if (search instanceof ExpressionReference) return false;
      if (isWireList(subject as WireValue)) {
        return (subject as readonly WireValue[]).some((item) => sameValue(item, search ?? null));
      }
      if (typeof search !== 'string') {
        throw failure("contains() looks for a text in a text; it can't look for another type");
      }
      return (subject as string).includes(search);
    },
  },
  ends_with: {
    signature: [['string'], ['string']],
    apply: (text, suffix) => (text as string).endsWith(suffix as string),
  },
  floor: { signature: [['number']], apply: (value) => rounded(value as number, Math.floor) },
  join: {
    signature: [['string'], ['array-string']],
    apply: (separator, list) => (list as readonly string[]).join(separator as string),
  },
  keys: { signature: [['object']], apply: (object) => Object.keys(object as WireObject) },
  length: {
    signature: [['string', 'array', 'object']],
    apply: (value) => {
      if (typeof value === 'string') return [...value].length;
      return isWireList(value as WireValue)
        ? (value as readonly WireValue[]).length
        : Object.keys(value as WireObject).length;
    },
  },
  map: {
    signature: [['expref'], ['array']],
    apply: (expression, list) =>
      (list as readonly WireValue[]).map((element) =>
        (expression as ExpressionReference).evaluate(element),
      ),
  },
  max: {
    signature: [['array-number', 'array-string']],
    apply: (list) => sorted(list as readonly WireValue[]).at(-1) ?? null,
  },
  max_by: {
    signature: [['array'], ['expref']],
    apply: (list, key) =>
      extreme('max_by', list as readonly WireValue[], key as ExpressionReference, 1),
  },
  merge: {
    signature: [['object']],
    variadic: true,
    apply: (...objects) => Object.assign(Object.create(null), ...objects),
  },
  min: {
    signature: [['array-number', 'array-string']],
    apply: (list) => sorted(list as readonly WireValue[])[0] ?? null,
  },
  min_by: {
    signature: [['array'], ['expref']],
    apply: (list, key) =>
      extreme('min_by', list as readonly WireValue[], key as ExpressionReference, -1),
  },
  not_null: {
    signature: [[]],
    variadic: true,
    apply: (...values) =>
      values.find((value): value is WireValue => value !== null && !isReference(value)) ?? null,
  },
  reverse: {
    signature: [['array', 'string']],
    apply: (value) =>
      typeof value === 'string'
        ? [...value].reverse().join('')
        : [...(value as readonly WireValue[])].reverse(),
  },
  sort: {
    signature: [['array-string', 'array-number']],
    apply: (list) => sorted(list as readonly WireValue[]),
  },
  sort_by: {
    signature: [['array'], ['expref']],
    apply: (list, expression) => {
      const elements = list as readonly WireValue[];
      const keys = keysOf('sort_by', elements, expression as ExpressionReference, true);
      return [...elements.keys()]
        .sort((left, right) => order(keys[left] ?? null, keys[right] ?? null))
        .map((index) => elements[index] ?? null);
    },
  },
  starts_with: {
    signature: [['string'], ['string']],
    apply: (text, prefix) => (text as string).startsWith(prefix as string),
  },
  sum: { signature: [['array-number']], apply: (list) => sum(list as readonly number[]) },
  to_array: {
    signature: [[]],
    apply: (value) =>
      isWireList(value as WireValue) ? (value as WireValue) : [value as WireValue],
  },
  to_number: {
    signature: [[]],
    apply: (value) => {
      if (isNumber(value)) return value;
      return typeof value === 'string' ? toNumber(value) : null;
    },
  },
  to_string: {
    signature: [[]],
    apply: (value) => (typeof value === 'string' ? value : compactJson(value as WireValue)),
  },
  type: { signature: [[]], apply: (value) => typeName(value as WireValue) },
  values: { signature: [['object']], apply: (object) => Object.values(object as WireObject) },
};

const isReference = (value: Argument): value is ExpressionReference =>
  value instanceof ExpressionReference;
