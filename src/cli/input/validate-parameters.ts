import type { Members, Shape, StructureShape, UnionShape } from '../../service-model/shape.js';
import { UsageError } from '../output/errors.js';
import {
  Decimal,
  type InputObject,
  type InputValue,
  isInputList,
  isInputObject,
} from './input-value.js';
import { memberShape } from './member-shape.js';
import { parseTimestamp } from './parse-timestamp.js';
import { pythonText, pythonType } from './python-text.js';

/**
 * Checks parameters before they are sent, as far as the AWS SDK for Python does: types, required
 * and unknown members, unions, and lower bounds. All else is left to the service.
 *
 * @throws UsageError with a line for everything that is wrong.
 */
export function validateParameters(shape: StructureShape, value: InputObject): void {
  const problems = [...problemsOf(shape, value, '')];
  if (problems.length > 0) {
    throw new UsageError(`Parameter validation failed:\n${problems.join('\n')}`);
  }
}

/** The types that the AWS CLI says a shape takes. */
const VALID_TYPES: Readonly<Record<Shape['type'], string>> = {
  string: "<class 'str'>",
  enum: "<class 'str'>",
  integer: "<class 'int'>",
  number: "<class 'float'>, <class 'decimal.Decimal'>, <class 'int'>",
  boolean: "<class 'bool'>",
  timestamp: "<class 'datetime.datetime'>, timestamp-string",
  list: "<class 'list'>, <class 'tuple'>",
  map: "<class 'dict'>",
  structure: "<class 'dict'>",
  union: "<class 'dict'>",
};

function* problemsOf(shape: Shape, value: InputValue, path: string): Generator<string> {
  if (!hasType(shape, value)) {
    yield `Invalid type for parameter ${nameOf(path)}, value: ${pythonText(value)}, ` +
      `type: ${pythonType(value)}, valid types: ${VALID_TYPES[shape.type]}`;
    return;
  }
  yield* boundProblems(shape, value, path);
  if (isInputList(value) && shape.type === 'list') {
    for (const [index, element] of value.entries()) {
      yield* problemsOf(shape.element, element, `${path}[${index}]`);
    }
  }
  if (!isInputObject(value)) return;
  if (shape.type === 'map') {
    for (const [key, item] of Object.entries(value)) {
      yield* problemsOf(shape.key, key, `${path} (key: ${key})`);
      yield* problemsOf(shape.value, item, `${path}.${key}`);
    }
  }
  if (shape.type === 'union') yield* unionProblems(shape.members, value, path);
  if (shape.type === 'structure' || shape.type === 'union') {
    yield* memberProblems(shape, value, path);
  }
}

function hasType(shape: Shape, value: InputValue): boolean {
  switch (shape.type) {
    case 'string':
    case 'enum':
      return typeof value === 'string';
    // A boolean is an integer in Python, so the AWS CLI lets it through.
    case 'integer':
      return typeof value === 'number' || typeof value === 'boolean';
    case 'number':
      return typeof value === 'number' || typeof value === 'boolean' || value instanceof Decimal;
    case 'boolean':
      return typeof value === 'boolean';
    case 'timestamp':
      return parseTimestamp(value) !== undefined;
    case 'list':
      return isInputList(value);
    case 'map':
    case 'structure':
    case 'union':
      return isInputObject(value);
  }
}

function* boundProblems(shape: Shape, value: InputValue, path: string): Generator<string> {
  if (shape.type === 'integer' && shape.min !== undefined && Number(value) < shape.min) {
    yield `Invalid value for parameter ${nameOf(path)}, value: ${pythonText(value)}, ` +
      `valid min value: ${shape.min}`;
  }
  if (shape.type !== 'string' && shape.type !== 'list') return;
  const length = typeof value === 'string' ? [...value].length : isInputList(value) && value.length;
  if (shape.minLength !== undefined && Number(length) < shape.minLength) {
    yield `Invalid length for parameter ${nameOf(path)}, value: ${length}, ` +
      `valid min length: ${shape.minLength}`;
  }
}

function* unionProblems(members: Members, value: InputObject, path: string): Generator<string> {
  const names = Object.keys(members).join('. ');
  const given = Object.keys(value).length;
  if (given === 0) {
    yield `Must set one of the following keys for tagged union structure ${nameOf(path)}: ${names}.`;
  } else if (given > 1) {
    yield `Invalid number of parameters set for tagged union structure ${nameOf(path)}. ` +
      `Can only set one of the following keys: ${names}.`;
  }
}

function* memberProblems(
  shape: StructureShape | UnionShape,
  value: InputObject,
  path: string,
): Generator<string> {
  for (const [name, { required }] of Object.entries(shape.members)) {
    if (required && !Object.hasOwn(value, name)) {
      yield `Missing required parameter in ${nameOf(path)}: "${name}"`;
    }
  }
  for (const name of Object.keys(value)) {
    if (memberShape(shape, name) !== undefined) continue;
    const valid = Object.keys(shape.members).join(', ');
    yield `Unknown parameter in ${nameOf(path)}: "${name}", must be one of: ${valid}`;
  }
  for (const [name, member] of Object.entries(value)) {
    const known = memberShape(shape, name);
    if (known !== undefined) yield* problemsOf(known, member, `${path}.${name}`);
  }
}

/** Paths grow with a dot in front; the whole input has no name of its own. */
const nameOf = (path: string): string => (path === '' ? 'input' : path.replace(/^\./, ''));
