import { ServiceError } from './errors.js';
import type { Infer, Shape } from './shape.js';

/** What a parsed JSON body may hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const MAX_INT32 = 2 ** 31 - 1;
const MIN_INT32 = -(2 ** 31);

/**
 * Turns parsed JSON into the value of a shape: members that the shape doesn't know are dropped,
 * nulls are left out, timestamps become milliseconds. Constraints are not checked here.
 *
 * A list may keep a null element, which validation then reports at its place.
 *
 * @throws ServiceError `SerializationException` where a JSON type can't become the member's type,
 * worded as AWS JSON 1.1 services word it.
 */
export function readValue<S extends Shape>(shape: S, json: JsonValue): Infer<S> {
  return read(shape, json) as Infer<S>;
}

function read(shape: Shape, json: JsonValue): unknown {
  switch (shape.type) {
    case 'string':
    case 'enum':
      if (typeof json === 'string') return json;
      throw cannotConvert(json, 'String');
    case 'integer': {
      // Where a shape says that it may be more, it is a Long: files of configuration count bytes.
      const long = shape.max !== undefined && shape.max > MAX_INT32;
      const fits = long
        ? Number.isSafeInteger(json)
        : Number.isInteger(json) && Number(json) <= MAX_INT32 && Number(json) >= MIN_INT32;
      if (!fits) throw cannotConvert(json, long ? 'Long' : 'Integer');
      return json;
    }
    case 'number':
      if (typeof json === 'number') return json;
      throw cannotConvert(json, 'Double');
    case 'boolean':
      if (typeof json === 'boolean') return json;
      throw cannotConvert(json, 'Boolean');
    case 'timestamp':
      if (typeof json === 'number') return Math.round(json * 1000);
      throw cannotConvert(json, 'milliseconds since epoch');
    case 'list':
      if (!Array.isArray(json)) throw unexpected(json, 'list');
      return json.map((element: JsonValue) =>
        element === null ? null : readElement(shape.element, element),
      );
    case 'map':
      return Object.fromEntries(
        entriesOf(json)
          .filter(([, value]) => value !== null)
          .map(([key, value]) => [key, read(shape.value, value)]),
      );
    case 'structure':
    case 'union': {
      const present = new Map(entriesOf(json));
      const value: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(shape.members)) {
        const given = present.get(name);
        if (given !== undefined && given !== null) value[name] = read(member.shape, given);
      }
      return value;
    }
  }
}

function readElement(shape: Shape, json: JsonValue): unknown {
  if (Array.isArray(json) && shape.type !== 'list') {
    throw new ServiceError('SerializationException', 'Unexpected list element');
  }
  return read(shape, json);
}

function entriesOf(json: JsonValue): [string, JsonValue][] {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    throw unexpected(json, 'structure');
  }
  return Object.entries(json);
}

function cannotConvert(json: JsonValue, target: string): ServiceError {
  if (json !== null && typeof json === 'object') return unexpected(json, target);
  return new ServiceError(
    'SerializationException',
    `${tokenName(json)} cannot be converted to ${target}`,
  );
}

function unexpected(json: JsonValue, expected: string): ServiceError {
  if (Array.isArray(json)) {
    return new ServiceError('SerializationException', 'Start of list found where not expected');
  }
  if (json !== null && typeof json === 'object') {
    return new ServiceError(
      'SerializationException',
      'Start of structure or map found where not expected',
    );
  }
  return new ServiceError(
    'SerializationException',
    expected === 'list' ? 'Expected list or null' : 'Expected structure or null',
  );
}

function tokenName(json: null | boolean | number | string): string {
  if (json === null) return 'NULL_VALUE';
  if (typeof json === 'boolean') return json ? 'TRUE_VALUE' : 'FALSE_VALUE';
  if (typeof json === 'string') return 'STRING_VALUE';
  return Number.isInteger(json) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
}
