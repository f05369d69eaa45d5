import { fitToTerminal, terminalWidth } from '../output/text-width.js';
import type { Line } from './line-editor.js';
import type { Menu } from './menu.js';

export const PROMPT = '> burnish ';

/** Candidates that are shown at a time. */
const MENU_ROWS = 8;

const HINT = 'Tab or arrows choose, Enter takes what is chosen or runs the command, Ctrl-C leaves.';

const REVERSE = '\u001b[7m';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';
const CLEAR_BELOW = '\u001b[J';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What to write so that the terminal shows the line, the menu and a message, from the line's row. */
export function drawScreen(line: Line, menu: Menu, message: string, size: Size): string {
  const { shown, column } = visiblePart(line, size.columns);
  const below = [
    ...menuRows(menu, size),
    `${DIM}${fitToTerminal(message || HINT, size.columns - 1)}${PLAIN}`,
  ];
  const back = `\u001b[${below.length}A\r${column > 0 ? `\u001b[${column}C` : ''}`;
  return `\r${CLEAR_BELOW}${shown}\r\n${below.join('\r\n')}${back}`;
}

/** What to write when the command line is finished: it stays, the menu goes. */
export const drawFinal = (line: Line): string => `\r${CLEAR_BELOW}${PROMPT}${line.text}\r\n`;

/** The end of the line's text that fits before the cursor, and what fits after it. */
function visiblePart({ text, cursor }: Line, columns: number) {
  const room = Math.max(10, columns - 1 - PROMPT.length);
  const before = [...text.slice(0, cursor)];
  while (terminalWidth(before.join('')) > room) before.shift();
  const start = before.join('');
  const rest = fitToTerminal(text.slice(cursor), room - terminalWidth(start));
  return { shown: PROMPT + start + rest, column: PROMPT.length + terminalWidth(start) };
}

function menuRows({ candidates, chosen }: Menu, { columns, rows }: Size): readonly string[] {
  const count = Math.max(1, Math.min(MENU_ROWS, rows - 3));
  const first = chosen === undefined ? 0 : Math.max(0, Math.min(chosen - count + 1, chosen));
  const shown = candidates.slice(first, first + count);
  const termWidth = Math.max(0, ...shown.map(({ text }) => terminalWidth(text)));
  return shown.map(({ text, documentation }, index) => {
    const padding = ' '.repeat(termWidth - terminalWidth(text));
    const row = fitToTerminal(
      `  ${text}${padding}  ${documentation.replace(/\s+/g, ' ')}`,
      columns - 1,
    );
    return first + index === chosen ? `${REVERSE}${row}${PLAIN}` : row;
  });
}
