/** How YAML writes a string: plain where that reads back as the same string, or else in quotes. */

export type ScalarStyle = 'plain' | 'single' | 'double';

export interface StyledScalar {
  readonly style: ScalarStyle;
  readonly multiline: boolean;
}

/**
 * Plain text that YAML 1.2's core schema and the merge, value and timestamp types would read as
 * something other than a string.
 */
const NOT_A_STRING: readonly RegExp[] = [
  /^(?:true|True|TRUE|false|False|FALSE)$/,
  /^(?:~|null|Null|NULL)?$/,
  /^(?:<<|=)$/,
  /^[-+]?(?:0b[01_]+|0o?[0-7_]+|[0-9_]+|0x[0-9a-fA-F_]+)$/,
  /^[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?$/,
  /^[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$/,
  /^[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?$/,
  /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/,
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?$/,
];

/** `_1` matches the pattern of an integer, but no number begins so. */
const readsAsString = (text: string): boolean =>
  text.startsWith('_') || !NOT_A_STRING.some((pattern) => pattern.test(text));

/** Indicators that end or begin something else when they come first. */
const LEADING_INDICATORS = new Set('#,[]{}&*!|>\'"%@`');

export const isBreak = (character: string): boolean => /^[\r\n\u0085\u2028\u2029]$/.test(character);

/** Code points that the emitter writes as they are; all others need double quotes and an escape. */
export function isPrintable(character: string): boolean {
  const codePoint = character.codePointAt(0) ?? 0;
  return (
    codePoint === 0x0a ||
    (codePoint >= 0x20 && codePoint <= 0x7e) ||
    (codePoint >= 0xa0 && codePoint <= 0xd7ff) ||
    (codePoint >= 0xe000 && codePoint <= 0xfffd && codePoint !== 0xfeff)
  );
}

/** @param isKey a mapping's key, which has to stay on one line */
export function styleOf(text: string, isKey: boolean): StyledScalar {
  const characters = [...text];
  const multiline = characters.some(isBreak);
  const style = chooseStyle(text, characters, multiline, isKey);
  return { style, multiline };
}

function chooseStyle(
  text: string,
  characters: readonly string[],
  multiline: boolean,
  isKey: boolean,
): ScalarStyle {
  if (isKey && multiline) return 'double';
  const spaces = spaceFacts(characters);
  if (spaces.breakThenSpace || spaces.spaceThenBreak) return 'double';
  if (!characters.every(isPrintable)) return 'double';
  if (text === '' || multiline || spaces.atEdge) return 'single';
  return hasIndicators(text, characters) || !readsAsString(text) ? 'single' : 'plain';
}

function spaceFacts(characters: readonly string[]) {
  let breakThenSpace = false;
  let spaceThenBreak = false;
  for (const [index, character] of characters.entries()) {
    const before = characters[index - 1];
    if (before === undefined) continue;
    if (character === ' ' && isBreak(before)) breakThenSpace = true;
    if (isBreak(character) && before === ' ') spaceThenBreak = true;
  }
  const atEdge = [characters[0], characters.at(-1)].some(
    (edge) => edge !== undefined && (edge === ' ' || isBreak(edge)),
  );
  return { breakThenSpace, spaceThenBreak, atEdge };
}

function hasIndicators(text: string, characters: readonly string[]): boolean {
  if (/^(?:---|\.\.\.)/.test(text)) return true;
  const isBlank = (character: string | undefined) =>
    character === undefined || character === ' ' || character === '\t' || isBreak(character);
  return characters.some((character, index) => {
    const beforeBlank = isBlank(characters[index + 1]);
    if (index === 0) {
      if (LEADING_INDICATORS.has(character)) return true;
      return beforeBlank && (character === '?' || character === ':' || character === '-');
    }
    if (character === ':') return beforeBlank;
    return character === '#' && isBlank(characters[index - 1]);
  });
}
