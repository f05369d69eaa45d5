import { eastAsianWidth } from 'get-east-asian-width';

/** Columns that a text takes in a table; characters of ambiguous width count as wide. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    width += eastAsianWidth(character.codePointAt(0) ?? 0, { ambiguousAsWide: true });
  }
  return width;
}
