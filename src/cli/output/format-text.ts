/**
 * The `text` format: tab-separated lines. The scalars of a structure make one line, ordered by
 * name; every nested structure or list follows on lines of its own, which begin with its name in
 * capitals. Source: AWS CLI user guide, "Setting the AWS CLI output format", and the behaviour of
 * the AWS CLI v2.
 */
import { scalarText } from './scalar-text.js';
import {
  compareCodePoints,
  isWireList,
  isWireObject,
  sortedKeys,
  type WireObject,
  type WireValue,
} from './wire-value.js';

/** A value as the AWS CLI prints it with `--output text`: tab-separated lines, each ending in a newline. */
export function formatText(value: WireValue): string {
  const lines: string[] = [];
  writeValue(value, lines);
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * @param heading the name that lines begin with, absent at the top
 * @param columns the scalars to print for a structure, so that all structures of a list have the
 * same columns
 */
function writeValue(
  value: WireValue,
  lines: string[],
  heading?: string,
  columns?: readonly string[],
): void {
  if (isWireList(value)) writeList(value, lines, heading);
  else if (isWireObject(value)) writeStructure(value, lines, heading, columns);
  else lines.push(scalarText(value));
}

function writeList(list: readonly WireValue[], lines: string[], heading?: string): void {
  if (list.some(isWireObject)) {
    const columns = scalarColumns(list);
    for (const element of list) writeValue(element, lines, heading, columns);
    return;
  }
  const scalars = list.filter((element) => !isWireList(element));
  if (scalars.length > 0) writeScalars(scalars, lines, heading);
  for (const element of list) {
    if (isWireList(element)) writeValue(element, lines, heading);
  }
}

function writeScalars(scalars: readonly WireValue[], lines: string[], heading?: string): void {
  if (heading === undefined) {
    lines.push(scalars.map(scalarText).join('\t'));
    return;
  }
  for (const scalar of scalars) lines.push(`${heading}\t${scalarText(scalar)}`);
}

function writeStructure(
  structure: WireObject,
  lines: string[],
  heading?: string,
  columns?: readonly string[],
): void {
  const keys = sortedKeys(structure);
  const isNested = (key: string) => isNestedValue(structure[key] ?? null);
  const printed = columns ?? keys.filter((key) => !isNested(key));
  if (printed.length > 0) {
    const cells = printed.map((key) => scalarText(structure[key] ?? missing(structure, key)));
    lines.push((heading === undefined ? cells : [heading, ...cells]).join('\t'));
  }
  const shown = new Set(printed);
  for (const key of keys) {
    if (!shown.has(key)) writeValue(structure[key] ?? null, lines, key.toUpperCase());
  }
}

/** A column that this structure lacks is empty; one that is null says so. */
const missing = (structure: WireObject, key: string): WireValue =>
  Object.hasOwn(structure, key) ? null : '';

function scalarColumns(list: readonly WireValue[]): readonly string[] {
  const columns = new Set<string>();
  for (const element of list) {
    if (!isWireObject(element)) continue;
    for (const [key, value] of Object.entries(element)) {
      if (!isNestedValue(value)) columns.add(key);
    }
  }
  return [...columns].sort(compareCodePoints);
}

const isNestedValue = (value: WireValue): boolean => isWireList(value) || isWireObject(value);
