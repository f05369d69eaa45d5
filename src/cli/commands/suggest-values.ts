import type { JsonValue } from '../../service-model/read-value.js';
import type { Shape } from '../../service-model/shape.js';
import { suggestion } from '../arguments/usage.js';
import { ServiceResponseError } from '../client/errors.js';
import { memberShape } from '../input/member-shape.js';
import { CliError } from '../output/errors.js';

/**
 * Adds to the service's refusal of a request the values that the caller may have meant: the AWS CLI
 * sends any value of an enum and leaves it to the service to refuse it. Other errors are returned
 * as they are.
 */
export function withValueSuggestions(error: unknown, shape: Shape, request: JsonValue): unknown {
  if (!(error instanceof ServiceResponseError) || error.code !== 'ValidationException') {
    return error;
  }
  const suggestions = [...suggestionsFor(shape, request)].join('');
  if (suggestions === '') return error;
  return new CliError(error.message + suggestions, error.exitStatus, { cause: error });
}

function* suggestionsFor(shape: Shape | undefined, value: JsonValue): Generator<string> {
  if (shape?.type === 'enum' && typeof value === 'string') {
    if (!shape.values.includes(value)) yield suggestion('Invalid value', value, shape.values);
  } else if (Array.isArray(value)) {
    const element = shape?.type === 'list' ? shape.element : undefined;
    for (const item of value as readonly JsonValue[]) yield* suggestionsFor(element, item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      yield* suggestionsFor(memberShape(shape, name), item);
    }
  }
}
