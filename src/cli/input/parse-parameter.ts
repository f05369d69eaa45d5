import type { ListShape, Shape } from '../../service-model/shape.js';
import { convertScalar } from './convert-scalar.js';
import type { InputValue } from './input-value.js';
import { ConversionError, parameterError } from './parameter-errors.js';
import { ParameterFileError, resolveParameterFile } from './parameter-file.js';
import { parseJson } from './parse-json.js';
import { applyModel } from './shorthand/apply-model.js';
import { parseShorthand } from './shorthand/parse-shorthand.js';
import { ShorthandError } from './shorthand/shorthand-error.js';

/**
 * The value of an option that sets a member of the input: a file's content where it names a file,
 * JSON where it looks like JSON, shorthand where its shape has parts, a scalar otherwise.
 *
 * @param given one text, or the texts of an option that takes several.
 * @throws UsageError where it can't be parsed, ConversionError where a number is none.
 */
export function parseParameter(
  flag: string,
  shape: Shape,
  given: string | readonly string[],
): InputValue {
  try {
    return parse(flag, shape, resolveFile(given));
  } catch (error) {
    if (error instanceof ShorthandError || error instanceof ParameterFileError) {
      throw parameterError(flag, error.message, { cause: error });
    }
    if (error instanceof ConversionError) throw new ConversionError(error.message, flag);
    throw error;
  }
}

/** A file is only looked for where it is the option's only value. */
function resolveFile(given: string | readonly string[]): string | Uint8Array | readonly string[] {
  if (typeof given === 'string') return resolveParameterFile(given);
  const [only, ...others] = given;
  if (only === undefined || others.length > 0) return given;
  const resolved = resolveParameterFile(only);
  return resolved === only ? given : resolved;
}

function parse(
  flag: string,
  shape: Shape,
  given: string | Uint8Array | readonly string[],
): InputValue {
  if (!hasParts(shape)) {
    return typeof given === 'object' && !(given instanceof Uint8Array)
      ? given.map((text) => convertScalar(shape, text))
      : convertScalar(shape, given);
  }
  if (given instanceof Uint8Array) {
    const reason = 'fileb:// reads bytes, and this parameter takes text: use file:// instead';
    throw shape.type === 'list' && !hasParts(shape.element)
      ? parameterError(flag, reason)
      : new ConversionError(reason);
  }
  const first = typeof given === 'string' ? given : given[0];
  const isJson = first !== undefined && /^\s*[[{]/.test(first);
  if (!isJson && supportsShorthand(shape)) {
    const parsed =
      typeof given === 'string'
        ? parseShorthand(given, resolveParameterFile)
        : given.map((text) => parseShorthand(text, resolveParameterFile));
    return applyModel(shape, parsed);
  }
  return shape.type === 'list' ? parseList(flag, shape, given) : parseJsonObject(flag, given);
}

const hasParts = (shape: Shape): boolean =>
  shape.type === 'structure' ||
  shape.type === 'union' ||
  shape.type === 'list' ||
  shape.type === 'map';

const supportsShorthand = (shape: Shape): boolean =>
  shape.type === 'list' ? hasParts(shape.element) : hasParts(shape);

/** One JSON list, or one element after the other. A file holds the list as a whole. */
function parseList(flag: string, shape: ListShape, given: string | readonly string[]): InputValue {
  const texts = typeof given === 'string' ? [given] : given;
  const [only] = texts;
  if (texts.length === 1 && only?.trimStart().startsWith('[')) return json(flag, only);
  if (!hasParts(shape.element)) return texts.map((text) => convertScalar(shape.element, text));
  if (typeof given === 'string') {
    throw parameterError(flag, `Invalid JSON: a list is needed\nJSON received: ${given}`);
  }
  return given.map((text) => parseJsonObject(flag, text));
}

function parseJsonObject(flag: string, given: string | readonly string[]): InputValue {
  const text = String(given);
  if (!text.trimStart().startsWith('{')) throw parameterError(flag, `Invalid JSON:\n${text}`);
  return json(flag, text);
}

function json(flag: string, text: string): InputValue {
  try {
    return parseJson(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw parameterError(flag, `Invalid JSON: ${reason}\nJSON received: ${text}`, { cause });
  }
}
