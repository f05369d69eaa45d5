import type { JsonValue } from './read-value.js';
import type { Infer, Shape } from './shape.js';

/**
 * Turns the value of a shape into JSON for the wire: timestamps become seconds since the epoch
 * (a fraction for the milliseconds), members that are not set are left out, and so is anything
 * that the shape doesn't know.
 */
export function writeValue<S extends Shape>(shape: S, value: Infer<S>): JsonValue {
  return write(shape, value);
}

function write(shape: Shape, value: unknown): JsonValue {
  switch (shape.type) {
    case 'timestamp':
      return (value as number) / 1000;
    case 'list':
      return (value as readonly unknown[]).map((element) => write(shape.element, element));
    case 'structure':
    case 'union': {
      const source = value as Readonly<Record<string, unknown>>;
      const json: Record<string, JsonValue> = {};
      for (const [name, member] of Object.entries(shape.members)) {
        if (source[name] !== undefined) json[name] = write(member.shape, source[name]);
      }
      return json;
    }
    default:
      return value as JsonValue;
  }
}
