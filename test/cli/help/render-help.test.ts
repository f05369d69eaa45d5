import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '#burnish/cli/configuration/command-table.js';
import { GLOBAL_OPTIONS } from '#burnish/cli/configuration/global-options.js';
import { EXAMPLES } from '#burnish/cli/help/examples.js';
import { renderHelp } from '#burnish/cli/help/render-help.js';
import { jsonSyntax, shorthandSyntax } from '#burnish/cli/help/value-syntax.js';
import { parseShorthand } from '#burnish/cli/input/shorthand/parse-shorthand.js';
import { OPERATIONS, type Operation } from '#burnish/service-model/operations.js';
import type { Members, Shape } from '#burnish/service-model/shape.js';
import { type Home, makeHome } from '../global-options/run-burnish.js';

const PLAIN = { width: 80, bold: false };

/** All names and sentences of a shape, however deep. */
function textsOf(shape: Shape): readonly string[] {
  if (shape.type === 'list') return textsOf(shape.element);
  if (shape.type !== 'structure' && shape.type !== 'union') return [];
  return Object.entries(shape.members as Members).flatMap(([name, member]) => [
    name,
    member.documentation,
    ...textsOf(member.shape),
  ]);
}

const unwrapped = (page: string) => page.replace(/\s+/g, ' ');

describe('a command’s page', () => {
  it.each(COMMANDS.map((command) => [command.name, command] as const))(
    'of %s has everything that the table and the model say',
    async (name, command) => {
      const page = await renderHelp(name, PLAIN);
      const text = unwrapped(page);
      expect(text).toContain(unwrapped(command.summary));
      for (const option of command.options) {
        if (option.hidden === true) {
          expect(text).not.toContain(`${option.flag} `);
          continue;
        }
        expect(page).toContain(`\n       ${option.flag} (`);
        expect(text).toContain(unwrapped(option.documentation));
        if (option.value.kind !== 'member') continue;
        for (const part of textsOf(option.value.shape)) expect(text).toContain(unwrapped(part));
      }
      const operation: Operation | undefined =
        command.operation === undefined ? undefined : OPERATIONS[command.operation];
      for (const [member, { documentation }] of Object.entries(operation?.output?.members ?? {})) {
        expect(page).toContain(`\n       ${member} (`);
        expect(text).toContain(unwrapped(documentation));
      }
      for (const { flag } of GLOBAL_OPTIONS) expect(page).toContain(`\n       ${flag}`);
      for (const status of [0, 130, 252, 253, 254, 255]) {
        expect(page).toMatch(new RegExp(`\\n {7}${status} `));
      }
    },
  );

  it('keeps to the width, but for code and words that are longer', async () => {
    for (const width of [60, 80, 100]) {
      const page = await renderHelp('list-optimization-jobs', { width, bold: false });
      const prose = page.split('\n').filter((line) => /^ {7,11}[A-Z][a-z]+ /.test(line));
      expect(prose.length).toBeGreaterThan(10);
      for (const line of prose) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it('has no escape sequences unless they are asked for', async () => {
    expect(await renderHelp('list-tags', PLAIN)).not.toContain('\u001b');
    expect(await renderHelp('list-tags', { ...PLAIN, bold: true })).toContain(
      '\u001b[1mNAME\u001b[22m',
    );
  });
});

describe('the program’s page', () => {
  it('names all commands and global options', async () => {
    const page = await renderHelp(undefined, PLAIN);
    for (const { name } of COMMANDS) expect(page).toMatch(new RegExp(`^ {7}${name} `, 'm'));
    for (const { flag } of GLOBAL_OPTIONS) expect(page).toContain(`\n       ${flag}`);
  });
});

describe('examples', () => {
  it('are of commands that there are, with options that they have', () => {
    for (const [name, examples] of Object.entries(EXAMPLES)) {
      const command = COMMANDS.find((one) => one.name === name);
      expect(command, name).toBeDefined();
      const flags = [...(command?.options ?? []), ...GLOBAL_OPTIONS].map(({ flag }) => flag);
      for (const { command: line } of examples) {
        for (const flag of line.match(/(?<=\s)--[a-z-]+/g) ?? []) expect(flags).toContain(flag);
      }
    }
  });
});

describe('the forms of a value', () => {
  const inputs = Object.values(OPERATIONS).flatMap((operation) =>
    Object.entries(operation.input.members as Members),
  );

  it.each(inputs)('of %s are what the parsers take', (_, { shape }) => {
    const shorthand = shorthandSyntax(shape);
    const isPlainList = shape.type === 'list' && shorthand?.startsWith('"') === true;
    if (shorthand !== undefined && !isPlainList) {
      expect(() => parseShorthand(shorthand.replace(/ \.\.\.$/, ''), String)).not.toThrow();
    }
    const json = jsonSyntax(shape)
      ?.replace(/,?\s*\.\.\./g, '')
      .replace(/true\|false/g, 'true')
      .replace(/("\w+")(?:\|"\w+")+/g, '$1')
      .replace(/: (?:integer|float|timestamp)/g, ': 1');
    if (json !== undefined) expect(() => JSON.parse(json)).not.toThrow();
  });
});

describe('burnish', () => {
  let home: Home;
  beforeAll(() => {
    home = makeHome();
  });

  it.each([
    [['help'], /^NAME\n {7}burnish - /],
    [['--help'], /^NAME\n {7}burnish - /],
    [['help', 'list-tags'], /^NAME\n {7}burnish list-tags - /],
    [['list-tags', 'help'], /^NAME\n {7}burnish list-tags - /],
    [['list-tags', '--help'], /^NAME\n {7}burnish list-tags - /],
  ])('%j shows a manual', async (args, expected) => {
    const { status, stdout, stderr } = await home.burnish(args);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(expected);
  });
});
