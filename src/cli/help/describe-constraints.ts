import type { Shape } from '../../service-model/shape.js';

/** The limits of a value, a sentence each. */
export function describeConstraints(shape: Shape): readonly string[] {
  switch (shape.type) {
    case 'string':
      return [
        ...range('Length', shape.minLength, shape.maxLength, 'characters'),
        ...(shape.pattern === undefined ? [] : [`Pattern: ${shape.pattern}`]),
      ];
    case 'integer':
      return range('Value', shape.min, shape.max, '');
    case 'enum':
      return [`Possible values: ${shape.values.join(', ')}.`];
    case 'list':
      return range('Items', shape.minLength, shape.maxLength, '');
    case 'map':
      return [
        ...range('Entries', shape.minLength, shape.maxLength, ''),
        ...describeConstraints(shape.key).map((constraint) => `Keys: ${constraint}`),
        ...describeConstraints(shape.value).map((constraint) => `Values: ${constraint}`),
      ];
    case 'union':
      return [`Exactly one of: ${Object.keys(shape.members).join(', ')}.`];
    default:
      return [];
  }
}

function range(
  what: string,
  min: number | undefined,
  max: number | undefined,
  unit: string,
): readonly string[] {
  const suffix = unit === '' ? '' : ` ${unit}`;
  if (min !== undefined && max !== undefined) return [`${what}: ${min} to ${max}${suffix}.`];
  if (max !== undefined) return [`${what}: at most ${max}${suffix}.`];
  return min === undefined ? [] : [`${what}: at least ${min}${suffix}.`];
}
