import type { Candidate } from '../completion/candidates.js';
import { quoteWord, splitUnfinished } from '../terminal/split-command.js';
import type { Line } from './line-editor.js';

/** What is offered under the line, and which of it is chosen; none at first. */
export interface Menu {
  readonly candidates: readonly Candidate[];
  readonly chosen: number | undefined;
}

export const EMPTY_MENU: Menu = { candidates: [], chosen: undefined };

/** The words up to the cursor; the last one is the word at it. */
export const wordsAtCursor = ({ text, cursor }: Line): readonly string[] =>
  splitUnfinished(text.slice(0, cursor));

/** Candidates that begin like the word at the cursor, and then those that contain it. */
export function matching(all: readonly Candidate[], current: string): readonly Candidate[] {
  const wanted = current.toLowerCase();
  const begins = ({ text }: Candidate) => text.toLowerCase().startsWith(wanted);
  const contains = (candidate: Candidate) =>
    !begins(candidate) && candidate.text.toLowerCase().includes(wanted);
  return [...all.filter(begins), ...all.filter(contains)].filter(({ text }) => text !== current);
}

/** @param step 1 for the next candidate, -1 for the one before; past the ends is none */
export function choose({ candidates, chosen }: Menu, step: 1 | -1): Menu {
  if (candidates.length === 0) return { candidates, chosen: undefined };
  const start = step === 1 ? -1 : candidates.length;
  const next = (chosen ?? start) + step;
  return { candidates, chosen: next < 0 || next >= candidates.length ? undefined : next };
}

/** Puts a candidate in the place of the word at the cursor, with a space where nothing follows. */
export function take(line: Line, candidate: Candidate): Line {
  const start = currentWordStart(line);
  const after = line.text.slice(line.cursor);
  const word = quoteWord(candidate.text) + (candidate.isPartial === true ? '' : ' ');
  const rest = word.endsWith(' ') ? after.replace(/^\S*\s?/, '') : after.replace(/^\S+/, '');
  const text = line.text.slice(0, start) + word + rest;
  return { text, cursor: start + word.length };
}

/** Where the word at the cursor begins, its quote included. */
function currentWordStart({ text, cursor }: Line): number {
  const words = splitUnfinished(text.slice(0, cursor));
  for (let start = cursor; start >= 0; start--) {
    const before = splitUnfinished(text.slice(0, start));
    const isBetweenWords = start === 0 || /\s/.test(text.charAt(start - 1));
    if (isBetweenWords && before.length === words.length && before.at(-1) === '') return start;
  }
  return cursor;
}
