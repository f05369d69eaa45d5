import type { JsonValue } from '../../service-model/read-value.js';
import type { Shape, StructureShape } from '../../service-model/shape.js';
import { Decimal, type InputObject, type InputValue, isInputList } from './input-value.js';
import { memberShape } from './member-shape.js';
import { parseTimestamp } from './parse-timestamp.js';
import { validateParameters } from './validate-parameters.js';

/**
 * The body of a request: the parameters, validated, with timestamps in seconds since the epoch.
 *
 * @throws UsageError where the parameters do not fit the shape.
 */
export function toRequest(shape: StructureShape, input: InputObject): JsonValue {
  validateParameters(shape, input);
  return write(shape, input);
}

function write(shape: Shape | undefined, value: InputValue): JsonValue {
  if (shape?.type === 'timestamp') return parseTimestamp(value) ?? null;
  if (value instanceof Decimal) return value.value;
  if (isInputList(value)) {
    const element = shape?.type === 'list' ? shape.element : undefined;
    return value.map((item) => write(element, item));
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, write(memberShape(shape, name), item)]),
  );
}
