/** From the body of an answer to what the user sees of it, by the operation's shape. */
import { BURNISH_OPERATIONS } from '../../service-model/burnish-operations.js';
import { OPERATIONS, type Operation } from '../../service-model/operations.js';
import type { Shape } from '../../service-model/shape.js';
import type { TimestampFormat } from '../configuration/settings.js';
import { CliError, EXIT_STATUS } from './errors.js';
import { formatTimestamp } from './format-timestamp.js';
import { isWireList, isWireObject, type WireObject, type WireValue } from './wire-value.js';

const ALL_OPERATIONS: Readonly<Record<string, Operation>> = {
  ...OPERATIONS,
  ...BURNISH_OPERATIONS,
};

/**
 * Keeps the members that the model knows, in its order, leaves out those that are null, and writes
 * timestamps in the given format.
 *
 * @throws CliError where a union has not exactly one member, or a timestamp is none.
 */
export function readResponse(
  operationName: string,
  body: WireValue,
  timestampFormat: TimestampFormat,
): WireValue {
  const output = ALL_OPERATIONS[operationName]?.output;
  return output === undefined ? {} : readMember(output, body, timestampFormat);
}

function readMember(shape: Shape, value: WireValue, format: TimestampFormat): WireValue {
  if (value === null) return null;
  switch (shape.type) {
    case 'timestamp':
      return format === 'wire' ? value : formatTimestamp(value);
    case 'list':
      return isWireList(value)
        ? value.map((element) => readMember(shape.element, element, format))
        : value;
    case 'union':
    case 'structure':
      if (!isWireObject(value)) return value;
      if (shape.type === 'union') {
        const unknown = unknownUnionMember(shape.name, Object.keys(shape.members), value);
        if (unknown !== undefined) return { SDK_UNKNOWN_MEMBER: { name: unknown } };
      }
      return readMembers(shape.members, value, format);
    case 'map':
      return isWireObject(value) ? Object.assign(Object.create(null), value) : value;
    default:
      return value;
  }
}

/** Objects here have no prototype, so that a query for `toString` finds nothing. */
function readMembers(
  members: Readonly<Record<string, { readonly shape: Shape }>>,
  body: WireObject,
  format: TimestampFormat,
): WireObject {
  const read: Record<string, WireValue> = Object.create(null);
  for (const [name, { shape }] of Object.entries(members)) {
    const value = Object.hasOwn(body, name) ? (body[name] ?? null) : null;
    if (value !== null) read[name] = readMember(shape, value, format);
  }
  return read;
}

function unknownUnionMember(
  unionName: string,
  known: readonly string[],
  value: WireObject,
): string | undefined {
  const [name, ...others] = Object.keys(value);
  if (name === undefined || others.length > 0) {
    throw new CliError(
      `Invalid service response: ${unionName} must have one and only one member set.`,
      EXIT_STATUS.failure,
    );
  }
  return known.includes(name) ? undefined : name;
}
