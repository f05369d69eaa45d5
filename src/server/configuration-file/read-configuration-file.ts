import { readFile, stat } from 'node:fs/promises';
import { parse } from 'yaml';
import { type JsonValue, readValue } from '../../service-model/read-value.js';
import type { Infer, Shape } from '../../service-model/shape.js';
import { validateInput } from '../../service-model/validate-input.js';
import { CONFIGURATION_SHAPE, type FileConfiguration } from './configuration-shape.js';

/** Far more than anyone writes by hand. */
const MAX_CONFIGURATION_BYTES = 1024 * 1024;
/** YAML's aliases can make a small file a huge value; no configuration needs many. */
const MAX_ALIASES = 100;

/** A configuration file that can't be used; the message names the file and the member. */
export class ConfigurationFileError extends Error {
  override readonly name = 'ConfigurationFileError';
}

/**
 * Reads a configuration file: YAML 1.2, which JSON is too.
 * @throws ConfigurationFileError when it can't be read, holds a member that nobody knows, or breaks a
 * constraint
 */
export async function readConfigurationFile(path: string): Promise<FileConfiguration> {
  try {
    const { size } = await stat(path);
    if (size > MAX_CONFIGURATION_BYTES) {
      throw new Error(`it has ${size} bytes, at most ${MAX_CONFIGURATION_BYTES} are read`);
    }
    const value = (parse(await readFile(path, 'utf8'), { maxAliasCount: MAX_ALIASES }) ??
      {}) as JsonValue;
    refuseUnknown(CONFIGURATION_SHAPE, value, '');
    const configuration = readNamed(CONFIGURATION_SHAPE, value);
    validateInput(CONFIGURATION_SHAPE, configuration);
    return configuration;
  } catch (error) {
    throw new ConfigurationFileError(`${path}: ${(error as Error).message}`);
  }
}

/** Reads a value. @throws an error that names the member whose type is wrong */
function readNamed<S extends Shape>(shape: S, value: JsonValue): Infer<S> {
  try {
    return readValue(shape, value);
  } catch (error) {
    const place = placeOfFault(shape, value).join('.') || 'the file';
    throw new Error(`${place}: ${(error as Error).message}`);
  }
}

/** The names and indices that lead to what can't be read, from the outside in. */
function placeOfFault(shape: Shape, value: JsonValue): readonly string[] {
  if (value === null || typeof value !== 'object') return [];
  for (const [name, given] of Object.entries(value)) {
    const part = partOf(shape, name);
    if (part === undefined || given === null) continue;
    try {
      readValue(part, given);
    } catch {
      return [name, ...placeOfFault(part, given)];
    }
  }
  return [];
}

function partOf(shape: Shape, name: string): Shape | undefined {
  if (shape.type === 'list') return shape.element;
  if (shape.type === 'map') return shape.value;
  if (shape.type !== 'structure' && shape.type !== 'union') return undefined;
  return shape.members[name]?.shape;
}

/** A request's unknown members are dropped, as AWS does; a configuration's are spelling mistakes. */
function refuseUnknown(shape: Shape, value: JsonValue, path: string): void {
  if (value === null || typeof value !== 'object') return;
  if (shape.type === 'list' && Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      refuseUnknown(shape.element, element, `${path}[${index}]`);
    }
  }
  if (shape.type !== 'structure' && shape.type !== 'union') return;
  for (const [name, given] of Object.entries(value)) {
    const member = shape.members[name];
    const at = path === '' ? name : `${path}.${name}`;
    if (member === undefined) {
      const known = Object.keys(shape.members).join(', ');
      throw new Error(`there is no setting ${at}; what there is: ${known}`);
    }
    refuseUnknown(member.shape, given, at);
  }
}
