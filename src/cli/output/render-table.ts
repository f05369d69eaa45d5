import type { TableSection } from './table-section.js';
import { textWidth } from './text-width.js';

export interface TableStyle {
  /** Columns of the terminal; tables that are wider turn their single rows on their side. */
  readonly terminalWidth: number;
  readonly color: boolean;
  /** What follows every piece of output: a reset of all attributes where a terminal gets colors. */
  readonly afterEachPiece: string;
}

const CELL_INDENT = 2;

const BOLD_BLUE = '\u001b[1m\u001b[34m';
const DIM_YELLOW = '\u001b[2m\u001b[33m';
export const RESET = '\u001b[0m';

/** Draws the sections under each other, all as wide as the widest of them needs. */
export function renderTable(sections: readonly TableSection[], style: TableStyle): string {
  const widest = (list: readonly TableSection[]) =>
    Math.max(...list.map((section) => section.totalWidth));
  const laidOut =
    widest(sections) > style.terminalWidth
      ? sections.map((section) => section.toVertical())
      : sections;
  const width = widest(laidOut);
  const pieces = [`${'-'.repeat(width)}\n`];
  const bar = style.color ? `${DIM_YELLOW}|${RESET}` : '|';
  for (const section of laidOut) {
    const edge = bar.repeat(section.depth);
    for (const line of sectionLines(section, width - 2 * section.depth, style.color)) {
      pieces.push(edge, line, edge, '\n');
    }
  }
  return pieces.map((piece) => piece + style.afterEachPiece).join('');
}

function* sectionLines(section: TableSection, width: number, color: boolean): Generator<string> {
  const { title, headings, rows } = section;
  if (title !== '') {
    yield centered(title, width, '|');
    if (headings.length === 0 && rows.length === 0) yield `+${dashes(width - 2)}+`;
  }
  const widths = section.columnWidths(width);
  if (headings.length > 0) {
    yield rule(widths);
    yield headings
      .slice(0, widths.length)
      .map((heading, index) => centered(heading, widths[index] ?? 0, index === 0 ? '|' : ''))
      .join('');
  }
  if (rows.length === 0 || widths.length === 0) return;
  yield rule(widths);
  for (const row of rows) {
    yield row
      .slice(0, widths.length)
      .map((cell, index) => leftAligned(cell, widths[index] ?? 0, index === 0 ? '|' : '', color))
      .join('');
  }
  yield rule(widths);
}

/** `+-----+---+`: the first column has an edge on both sides, the others only on their right. */
const rule = (widths: readonly number[]) =>
  widths
    .map((width, index) => (index === 0 ? `+${dashes(width - 2)}+` : `${dashes(width - 1)}+`))
    .join('');

function centered(text: string, width: number, leftEdge: string): string {
  const length = textWidth(text);
  const before = Math.floor(width / 2) - Math.floor(length / 2) - 1;
  const after = width - 1 - (leftEdge.length + before + length);
  return `${leftEdge}${spaces(before)}${text}${spaces(after)}|`;
}

function leftAligned(text: string, width: number, leftEdge: string, color: boolean): string {
  const length = textWidth(text);
  const fits = width >= length + CELL_INDENT + leftEdge.length + 1;
  const indent = fits ? CELL_INDENT : 0;
  const after = width - (leftEdge.length + indent + length) - 1;
  const shown = color ? `${BOLD_BLUE}${text}${RESET}` : text;
  return `${leftEdge}${spaces(indent)}${shown}${spaces(after)}|`;
}

const spaces = (count: number) => ' '.repeat(Math.max(0, count));
const dashes = (count: number) => '-'.repeat(Math.max(0, count));
