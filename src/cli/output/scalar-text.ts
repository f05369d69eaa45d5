import { ExactNumber, numberText, type WireValue } from './wire-value.js';

/** A value inside a line of text or a cell of a table, where the AWS CLI shows Python's spelling. */
export function scalarText(value: WireValue): string {
  return typeof value === 'string' ? value : pythonText(value);
}

function pythonText(value: WireValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return pythonString(value);
  if (typeof value === 'number' || value instanceof ExactNumber) return numberText(value);
  if (Array.isArray(value)) return `[${value.map(pythonText).join(', ')}]`;
  const entries = Object.entries(value).map(
    ([name, item]) => `${pythonString(name)}: ${pythonText(item)}`,
  );
  return `{${entries.join(', ')}}`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Single quotes, or double ones where that saves escaping; what can't be printed is escaped. */
function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|'/gu, (character) => {
    if (character === "'") return quote === "'" ? "\\'" : character;
    return SHORT_ESCAPES[character] ?? escapeCodePoint(character.codePointAt(0) ?? 0);
  });
  return `${quote}${escaped}${quote}`;
}

function escapeCodePoint(codePoint: number): string {
  const hex = codePoint.toString(16);
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  if (codePoint <= 0xffff) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}
