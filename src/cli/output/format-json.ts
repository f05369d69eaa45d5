import { ExactNumber, numberText, type WireValue } from './wire-value.js';

const INDENT = '    ';

/** JSON with four spaces a level, non-ASCII characters as they are, and a newline at the end. */
export function formatJson(value: WireValue): string {
  return `${jsonText(value, '\n')}\n`;
}

/** @param newline a line break and the indentation of the value's own level */
export function jsonText(value: WireValue, newline: string): string {
  if (typeof value === 'number' || value instanceof ExactNumber) return numberText(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = newline + INDENT;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[${value.map((item) => inner + jsonText(item, inner)).join(',')}${newline}]`;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const lines = entries.map(
    ([name, item]) => `${inner}${JSON.stringify(name)}: ${jsonText(item, inner)}`,
  );
  return `{${lines.join(',')}${newline}}`;
}
