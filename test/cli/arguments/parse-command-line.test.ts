import { describe, expect, it } from 'vitest';
import { parseCommandArguments } from '#burnish/cli/arguments/parse-command-arguments.js';
import { parseCommandLine, VersionRequested } from '#burnish/cli/arguments/parse-command-line.js';
import { type Command, findCommand } from '#burnish/cli/configuration/command-table.js';
import { boolean } from '#burnish/service-model/shape.js';

describe('the command line', () => {
  it('takes global options before, between and after what is the command’s', () => {
    const line = parseCommandLine([
      '--region',
      'eu-west-1',
      'list-optimization-jobs',
      '--name-contains',
      'a',
      '--no-paginate',
      '--max-items',
      '3',
      '--output=text',
    ]);
    expect(line).toMatchObject({
      command: { name: 'list-optimization-jobs' },
      globals: { region: 'eu-west-1', paginate: false, output: 'text', verifySsl: true },
      rest: ['--name-contains', 'a', '--max-items', '3'],
    });
  });

  it('takes the name of the service too, as the AWS CLI needs it', () => {
    expect(parseCommandLine(['sagemaker', 'list-tags', '--debug', 'help'])).toMatchObject({
      command: { name: 'list-tags' },
      globals: { debug: true },
      rest: ['help'],
    });
  });

  it('knows help and the version', () => {
    expect(parseCommandLine(['help', 'list-tags'])).toMatchObject({
      command: 'help',
      rest: ['list-tags'],
    });
    expect(() => parseCommandLine(['list-tags', '--version'])).toThrow(VersionRequested);
    expect(() => parseCommandLine(['--vers'])).toThrow(VersionRequested);
  });

  it.each([
    [[], 252, 'the following arguments are required: operation'],
    [['list-optimization-job'], 252, '  * list-optimization-jobs'],
    [['sagemaker', 'list-tag'], 252, '  * list-tags'],
    [['list-tags', '--output', 'jsn'], 252, '  * json'],
    [['list-tags', '--c', 'x'], 252, 'ambiguous option: --c could match --color, --ca-bundle'],
    [
      ['list-tags', '--cli-read-timeout', 'soon'],
      255,
      "invalid literal for int() with base 10: 'soon'",
    ],
  ])('refuses %j with status %i', (argv, exitStatus, text) => {
    let refusal: unknown;
    try {
      parseCommandLine(argv);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ exitStatus, message: expect.stringContaining(text) });
  });
});

const list = findCommand('list-optimization-jobs') as Command;
const describeJob = findCommand('describe-optimization-job') as Command;
const wait = findCommand('wait') as Command;

describe('the arguments of a command', () => {
  it('asks for the manual with help', () => {
    expect(parseCommandArguments(describeJob, ['help'])).toBeUndefined();
    expect(parseCommandArguments(list, ['--max-items', '1', 'help'])).toBeUndefined();
    expect(parseCommandArguments(wait, ['optimization-job-completed', 'help'])).toBeUndefined();
  });

  it('does not ask for required options where the input comes otherwise', () => {
    for (const argv of [
      ['--cli-input-json', '{}'],
      ['--cli-input-yaml', '{}'],
      ['--generate-cli-skeleton'],
      ['--generate-cli-skeleton', 'yaml-input'],
    ]) {
      expect(parseCommandArguments(describeJob, argv)?.size).toBe(1);
    }
    for (const argv of [['--generate-cli-skeleton', 'output'], ['--cli-input-json={}'], []]) {
      expect(() => parseCommandArguments(describeJob, argv)).toThrow(
        'the following arguments are required: --optimization-job-name',
      );
    }
  });

  it('names all that no option takes, the stray word last, and what may have been meant', () => {
    expect(() => parseCommandArguments(list, ['--name-contins', 'x', 'y'])).toThrow(
      /Unknown options: --name-contins, y, x\n.*maybe you meant:\n\n {2}\* --name-contains/s,
    );
  });

  it('gives a boolean member an option to deny it', () => {
    const command: Command = {
      name: 'c',
      summary: '',
      positionals: [],
      options: [
        {
          flag: '--sharp',
          value: { kind: 'member', member: 'Sharp', shape: boolean },
          required: false,
          documentation: '',
        },
      ],
    };
    const sharp = (...argv: string[]) => parseCommandArguments(command, argv)?.get('--sharp');
    expect([sharp(), sharp('--sharp'), sharp('--no-sharp')]).toEqual([undefined, true, false]);
  });
});
