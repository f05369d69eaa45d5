import { UsageError } from '../output/errors.js';
import { type InputObject, type InputValue, isInputObject } from './input-value.js';
import { parameterError } from './parameter-errors.js';
import { ParameterFileError, resolveParameterFile } from './parameter-file.js';
import { parseJson } from './parse-json.js';
import { pythonType } from './python-text.js';

interface InputFormat {
  readonly flag: string;
  readonly name: string;
  parse(text: string): Promise<InputValue>;
}

const FORMATS: readonly InputFormat[] = [
  { flag: '--cli-input-json', name: 'JSON', parse: async (text) => parseJson(text) },
  // Its parser is large, and few command lines need it.
  {
    flag: '--cli-input-yaml',
    name: 'YAML',
    parse: async (text) => (await import('./parse-yaml.js')).parseYaml(text),
  },
];

/**
 * The input that `--cli-input-json` or `--cli-input-yaml` gives, as text or as a file; undefined
 * where neither is given.
 *
 * @param optionValue the value of an option.
 * @throws UsageError where both are given, the file can't be read, or its content is no map.
 */
export async function readCliInput(
  optionValue: (flag: string) => string | undefined,
): Promise<InputObject | undefined> {
  const given = FORMATS.flatMap((format) => {
    const value = optionValue(format.flag);
    return value === undefined ? [] : [{ format, value }];
  });
  const [only, second] = given;
  if (only === undefined) return undefined;
  if (second !== undefined) {
    throw new UsageError('Only one --cli-input- parameter may be specified.');
  }
  return read(only.format, only.value);
}

async function read(format: InputFormat, value: string): Promise<InputObject> {
  const input = await parse(format, load(format, value));
  if (isInputObject(input)) return input;
  throw parameterError(format.flag, `Invalid type: expecting map, received ${pythonType(input)}`);
}

function load({ flag }: InputFormat, value: string): string {
  try {
    const content = resolveParameterFile(value);
    return typeof content === 'string' ? content : new TextDecoder().decode(content);
  } catch (cause) {
    if (cause instanceof ParameterFileError) throw parameterError(flag, cause.message, { cause });
    throw cause;
  }
}

async function parse({ flag, name, parse }: InputFormat, text: string): Promise<InputValue> {
  try {
    return await parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw parameterError(flag, `Invalid ${name} received${reason}`, { cause });
  }
}
