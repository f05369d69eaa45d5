import { eastAsianWidth } from 'get-east-asian-width';

/** Columns that a text takes in a table, where characters of ambiguous width count as wide. */
export const textWidth = (text: string): number => widthOf(text, true);

/** Columns that a text takes on a terminal, where characters of ambiguous width are narrow. */
export const terminalWidth = (text: string): number => widthOf(text, false);

function widthOf(text: string, ambiguousAsWide: boolean): number {
  let width = 0;
  for (const character of text) {
    width += eastAsianWidth(character.codePointAt(0) ?? 0, { ambiguousAsWide });
  }
  return width;
}

/** As much of a text as fits. */
export function fitToTerminal(text: string, columns: number): string {
  let fitting = '';
  let width = 0;
  for (const character of text) {
    width += terminalWidth(character);
    if (width > columns) break;
    fitting += character;
  }
  return fitting;
}
