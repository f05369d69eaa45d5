import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { quoteWord, splitCommand, splitUnfinished } from '#burnish/cli/terminal/split-command.js';

describe('a command line', () => {
  it.each([
    ['', []],
    ['  less -R ', ['less', '-R']],
    [`a 'b c' "d e" f\\ g`, ['a', 'b c', 'd e', 'f g']],
    [`a'b'"c"d`, ['abcd']],
    [`'' ""`, ['', '']],
    [`"a\\"b\\\\c\\d"`, ['a"b\\c\\d']],
    [`'a\\b'`, ['a\\b']],
  ])('%s is split as a shell does', (line, words) => {
    expect(splitCommand(line)).toEqual(words);
    const shell = spawnSync('sh', ['-c', `for w in ${line || '""'}; do printf '%s\\n' "$w"; done`]);
    if (words.length > 0) expect(String(shell.stdout)).toBe(words.map((w) => `${w}\n`).join(''));
  });

  it.each(["'a", '"a', 'a\\'])('%s is not finished', (line) => {
    expect(() => splitCommand(line)).toThrow('clos');
  });

  it.each([
    ['a ', ['a', '']],
    ['a b', ['a', 'b']],
    ["a 'b c", ['a', 'b c']],
    ['', ['']],
  ])('"%s" that is still typed is %j', (line, words) => {
    expect(splitUnfinished(line)).toEqual(words);
  });

  it.each(['', 'plain', 'a b', "it's", '"', '$HOME', 'a\\b', '{a,b}', '日本'])(
    'word %j comes back from its quoted form',
    (word) => expect(splitCommand(quoteWord(word))).toEqual([word]),
  );
});
