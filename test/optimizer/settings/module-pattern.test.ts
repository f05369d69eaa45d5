import { describe, expect, it } from 'vitest';
import { parseModulePatterns } from '#burnish/optimizer/settings/module-pattern.js';

const matches = (list: string, module: string) =>
  parseModulePatterns('OPTION_X', list).some((pattern) => pattern.matches(module));

describe('parseModulePatterns', () => {
  it.each([
    ['lm_head', 'lm_head', true],
    ['lm_head', 'model.lm_head', true],
    ['lm_head', 'my_lm_head', false],
    ['mlp.down_proj', 'model.layers.3.mlp.down_proj', true],
    ['down_proj', 'model.layers.3.mlp.down_proj', true],
    ['own_proj', 'model.layers.3.mlp.down_proj', false],
    ['model.layers.3', 'model.layers.3.mlp.down_proj', false],
    ['re:.*down_proj', 'model.layers.3.mlp.down_proj', true],
    ['re:down_proj', 'model.layers.3.mlp.down_proj', false],
    ['re:model\\.layers\\.[0-3]\\.', 'model.layers.3.mlp.down_proj', true],
    ['re:.*layers\\.(1|3)\\..*proj$', 'model.layers.3.mlp.down_proj', true],
    ['re:.*layers\\.\\d{1,2}\\.mlp', 'model.layers.3.mlp.down_proj', true],
    ['a, b ,', 'b', true],
    ['', '', false],
  ])('%j matches %s: %s', (list, module, expected) => {
    expect(matches(list, module)).toBe(expected);
  });

  it('does not split at a comma inside an expression’s braces', () => {
    const patterns = parseModulePatterns('OPTION_X', 're:a{1,2},b,re:[,x]');
    expect(patterns.map(({ source }) => source)).toEqual(['re:a{1,2}', 'b', 're:[,x]']);
  });

  it('does not hang on an expression that backtracks without end elsewhere', () => {
    const [pattern] = parseModulePatterns('OPTION_X', 're:(a+)+(a|aa)*(.*a){12}$');
    expect(pattern?.matches(`${'a'.repeat(20_000)}b`)).toBe(false);
  });

  it.each([
    ['re:[', 'expression cannot be used'],
    ['re:(?=a)', 'expression cannot be used'],
    ['re:(a)\\1', 'expression cannot be used'],
    ['re:a{1000}{1000}', 'expression cannot be used'],
    ['model/layers', 'not a module name'],
    ['*.mlp', 'not a module name'],
    ['x'.repeat(600), 'longer than 512'],
    ['a,'.repeat(1001), 'more than 1000 names'],
  ])('refuses %s', (list, message) => {
    expect(() => parseModulePatterns('OPTION_X', list)).toThrow(message);
    expect(() => parseModulePatterns('OPTION_X', list)).toThrow('OPTION_X');
  });
});
