import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { edit, type Key, type Line } from '#burnish/cli/prompt/line-editor.js';
import { choose, matching, take } from '#burnish/cli/prompt/menu.js';
import { drawScreen } from '#burnish/cli/prompt/screen.js';

/** The cursor is where the bar is. */
function line(marked: string): Line {
  const cursor = marked.indexOf('|');
  return { text: marked.replace('|', ''), cursor };
}

const show = ({ text, cursor }: Line) => `${text.slice(0, cursor)}|${text.slice(cursor)}`;

describe('a line', () => {
  it.each<[string, Key, string]>([
    ['ab|cd', { sequence: 'x' }, 'abx|cd'],
    ['|', { sequence: 'pasted text' }, 'pasted text|'],
    ['a😀|', { name: 'backspace' }, 'a|'],
    ['|ab', { name: 'backspace' }, '|ab'],
    ['a|😀b', { name: 'delete' }, 'a|b'],
    ['a😀|b', { name: 'left' }, 'a|😀b'],
    ['a|😀b', { name: 'right' }, 'a😀|b'],
    ['ab|', { name: 'right' }, 'ab|'],
    ['a|b', { name: 'home' }, '|ab'],
    ['a|b', { name: 'e', ctrl: true }, 'ab|'],
    ['ab cd|', { name: 'w', ctrl: true }, 'ab |'],
    ['ab cd  |e', { name: 'w', ctrl: true }, 'ab |e'],
    ['ab|cd', { name: 'k', ctrl: true }, 'ab|'],
    ['ab|cd', { name: 'u', ctrl: true }, '|cd'],
  ])('%s after %j is %s', (before, key, after) => {
    const edited = edit(line(before), key);
    expect(edited && show(edited)).toBe(after);
  });

  it.each<Key>([
    { name: 'f5', sequence: '\u001b[15~' },
    { name: 'x', ctrl: true, sequence: '\u0018' },
    { name: 'b', meta: true, sequence: '\u001bb' },
  ])('does not change after %j', (key) => expect(edit(line('a|b'), key)).toBeUndefined());
});

const value = (text: string, isPartial?: true) =>
  ({ text, documentation: '', kind: 'value', ...(isPartial && { isPartial }) }) as const;

describe('a candidate', () => {
  it.each([
    ['des|', value('describe'), 'describe |'],
    ['--output js|', value('json'), '--output json |'],
    ['--output js|x --debug', value('json'), '--output json |--debug'],
    ['--output |', value('json'), '--output json |'],
    ['--tags K|', value('Key=', true), '--tags Key=|'],
    ['--ca-bundle f|', value('folder with space/', true), "--ca-bundle 'folder with space/'|"],
    ["--name 'a b|", value('a bc'), "--name 'a bc' |"],
  ])('%s takes %j', (before, candidate, after) => {
    expect(show(take(line(before), candidate))).toBe(after);
  });

  it('is chosen with the arrows, and past the ends none is', () => {
    let menu = { candidates: [value('a'), value('b')], chosen: undefined as number | undefined };
    const press = (step: 1 | -1) => {
      menu = { ...menu, chosen: choose(menu, step).chosen };
      return menu.chosen;
    };
    expect([press(1), press(1), press(1), press(-1), press(-1), press(-1)]).toEqual([
      0,
      1,
      undefined,
      1,
      0,
      undefined,
    ]);
  });

  it('that begins like the word comes before one that contains it', () => {
    const all = ['add-tags', 'list-tags', 'tags', 'wait'].map((text) => value(text));
    expect(matching(all, 'tag').map(({ text }) => text)).toEqual(['tags', 'add-tags', 'list-tags']);
    expect(matching(all, 'wait')).toEqual([]);
  });
});

describe('the screen', () => {
  it('never has a line that is wider than the terminal', () => {
    const menu = {
      candidates: Array.from({ length: 20 }, (_, index) => ({
        ...value(`candidate-${index}`),
        documentation: '日本語 '.repeat(30),
      })),
      chosen: 15,
    };
    const size = { columns: 40, rows: 10 };
    const drawn = drawScreen({ text: 'x'.repeat(100), cursor: 50 }, menu, '', size);
    const rows = stripVTControlCharacters(drawn).split('\r\n');
    expect(rows.length).toBeLessThan(size.rows);
    for (const row of rows) {
      const wide = row.match(/\p{Script=Han}/gu)?.length ?? 0;
      expect(row.replace(/\r/g, '').length + wide).toBeLessThanOrEqual(size.columns);
    }
    expect(drawn).toContain('\u001b[7m  candidate-15');
  });
});
