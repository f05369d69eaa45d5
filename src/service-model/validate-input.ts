import { ServiceError } from './errors.js';
import type { Infer, Member, Shape, StringShape, StructureShape } from './shape.js';

/** The longest value that an error message repeats; a request may be a thousand times as long. */
const MAX_PRINTED_VALUE = 2048;

/** One broken constraint, as AWS words it. */
export interface ConstraintViolation {
  /** Lower camel case with dots, list members counted from 1: `tags.1.member.key`. */
  readonly path: string;
  /** The value in Java's manner, or undefined where a required member is missing. */
  readonly value: unknown;
  readonly constraint: string;
}

/**
 * Checks a request against every constraint of its shape.
 *
 * @throws ServiceError `ValidationException` that counts and names all violations in one message,
 * or, where the constraints hold, that names the union which has not exactly one member.
 */
export function validateInput<S extends StructureShape>(shape: S, value: Infer<S>): void {
  const violations = findViolations(shape, value);
  if (violations.length > 0) {
    throw new ServiceError('ValidationException', violationMessage(violations));
  }
  checkUnions(shape, value, '');
}

/** All broken constraints of a value, in the order of the shape's members. */
function findViolations<S extends StructureShape>(
  shape: S,
  value: Infer<S>,
): readonly ConstraintViolation[] {
  return [...violationsOf(shape, value, '')];
}

function violationMessage(violations: readonly ConstraintViolation[]): string {
  const clauses = violations.map(({ path, value, constraint }) => {
    const printed = value === undefined ? 'null' : `'${truncate(printJava(value))}'`;
    return `Value ${printed} at '${path}' failed to satisfy constraint: ${constraint}`;
  });
  const noun = violations.length === 1 ? 'error' : 'errors';
  return `${violations.length} validation ${noun} detected: ${clauses.join('; ')}`;
}

function* violationsOf(shape: Shape, value: unknown, path: string): Generator<ConstraintViolation> {
  switch (shape.type) {
    case 'string':
      for (const constraint of brokenStringConstraints(shape, value as string)) {
        yield { path, value, constraint };
      }
      return;
    case 'enum':
      if (!shape.values.includes(value as string)) {
        const constraint = `Member must satisfy enum value set: [${shape.values.join(', ')}]`;
        yield { path, value, constraint };
      }
      return;
    case 'integer': {
      const number = value as number;
      if (shape.min !== undefined && number < shape.min) {
        const constraint = `Member must have value greater than or equal to ${shape.min}`;
        yield { path, value, constraint };
      }
      if (shape.max !== undefined && number > shape.max) {
        const constraint = `Member must have value less than or equal to ${shape.max}`;
        yield { path, value, constraint };
      }
      return;
    }
    case 'list': {
      const elements = value as readonly unknown[];
      yield* lengthViolations(shape, elements.length, value, path);
      // A list that is too long is refused for that alone: its elements could be millions.
      if (shape.maxLength !== undefined && elements.length > shape.maxLength) return;
      for (const [index, element] of elements.entries()) {
        const elementPath = `${path}.${index + 1}.member`;
        if (element === null) yield missing(elementPath);
        else yield* violationsOf(shape.element, element, elementPath);
      }
      return;
    }
    case 'map': {
      const entries = Object.entries(value as Readonly<Record<string, string>>);
      yield* lengthViolations(shape, entries.length, value, path);
      if (entries.some(([key]) => brokenStringConstraints(shape.key, key).length > 0)) {
        const constraint = `Map keys must satisfy constraint: [${stringConstraints(shape.key)}]`;
        yield { path, value, constraint };
      }
      if (entries.some(([, item]) => brokenStringConstraints(shape.value, item).length > 0)) {
        const constraint = `Map value must satisfy constraint: [${stringConstraints(shape.value)}]`;
        yield { path, value, constraint };
      }
      return;
    }
    case 'structure':
    case 'union':
      for (const [name, member] of Object.entries(shape.members) as [string, Member][]) {
        const memberPath = path === '' ? lowerCamel(name) : `${path}.${lowerCamel(name)}`;
        const memberValue = (value as Readonly<Record<string, unknown>>)[name];
        if (memberValue !== undefined) yield* violationsOf(member.shape, memberValue, memberPath);
        else if (member.required) yield missing(memberPath);
      }
      return;
    default:
      return;
  }
}

const missing = (path: string): ConstraintViolation => ({
  path,
  value: undefined,
  constraint: 'Member must not be null',
});

const maxLengthText = (max: number) => `Member must have length less than or equal to ${max}`;
const minLengthText = (min: number) => `Member must have length greater than or equal to ${min}`;
const patternText = (pattern: string) =>
  `Member must satisfy regular expression pattern: ${pattern}`;

function* lengthViolations(
  shape: { readonly minLength?: number; readonly maxLength?: number },
  length: number,
  value: unknown,
  path: string,
): Generator<ConstraintViolation> {
  if (shape.maxLength !== undefined && length > shape.maxLength) {
    yield { path, value, constraint: maxLengthText(shape.maxLength) };
  }
  if (shape.minLength !== undefined && length < shape.minLength) {
    yield { path, value, constraint: minLengthText(shape.minLength) };
  }
}

function brokenStringConstraints(shape: StringShape, value: string): readonly string[] {
  const broken: string[] = [];
  if (shape.maxLength !== undefined && value.length > shape.maxLength) {
    broken.push(maxLengthText(shape.maxLength));
  }
  if (shape.minLength !== undefined && value.length < shape.minLength) {
    broken.push(minLengthText(shape.minLength));
  }
  if (shape.pattern !== undefined && !wholeMatch(shape.pattern).test(value)) {
    broken.push(patternText(shape.pattern));
  }
  return broken;
}

/** Every constraint of a string, broken or not, as AWS lists them for the keys and values of maps. */
function stringConstraints(shape: StringShape): string {
  const constraints: string[] = [];
  if (shape.maxLength !== undefined) {
    constraints.push(maxLengthText(shape.maxLength), minLengthText(shape.minLength ?? 0));
  }
  if (shape.pattern !== undefined) constraints.push(patternText(shape.pattern));
  return constraints.join(', ');
}

const compiledPatterns = new Map<string, RegExp>();

function wholeMatch(pattern: string): RegExp {
  let compiled = compiledPatterns.get(pattern);
  if (compiled === undefined) {
    compiled = new RegExp(`^(?:${pattern})$`, 'u');
    compiledPatterns.set(pattern, compiled);
  }
  return compiled;
}

function checkUnions(shape: Shape, value: unknown, path: string): void {
  if (shape.type === 'list') {
    for (const [index, element] of (value as readonly unknown[]).entries()) {
      checkUnions(shape.element, element, `${path}.${index + 1}.member`);
    }
    return;
  }
  if (shape.type !== 'structure' && shape.type !== 'union') return;
  const fields = value as Readonly<Record<string, unknown>>;
  if (shape.type === 'union') {
    const set = Object.keys(fields);
    if (set.length !== 1) {
      const found = set.length === 0 ? 'none is set' : `${set.join(' and ')} are set`;
      throw new ServiceError(
        'ValidationException',
        `Exactly one member of ${shape.name} must be set at '${path}', but ${found}. Choose one of: ${Object.keys(shape.members).join(', ')}.`,
      );
    }
  }
  for (const [name, member] of Object.entries(shape.members) as [string, Member][]) {
    const memberPath = path === '' ? lowerCamel(name) : `${path}.${lowerCamel(name)}`;
    if (fields[name] !== undefined) checkUnions(member.shape, fields[name], memberPath);
  }
}

/** `S3OutputLocation` is printed as `s3OutputLocation`. */
const lowerCamel = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

/** Lists as `[a, b]`, maps and structures as `{a=b, c=d}`, like Java's `toString`. */
function printJava(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printJava).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value).map(([name, field]) => `${name}=${printJava(field)}`);
    return `{${fields.join(', ')}}`;
  }
  return String(value);
}

const truncate = (text: string) =>
  text.length > MAX_PRINTED_VALUE ? `${text.slice(0, MAX_PRINTED_VALUE)}…` : text;
