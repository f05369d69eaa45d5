import type { AdministrationCommand, AdministrationOption, CommandGroup } from './command-group.js';

const PLACE: readonly AdministrationOption[] = [
  {
    flag: '--data-dir',
    documentation:
      'Where the service keeps its record (BURNISH_DATA_DIR, or the default of serve).',
  },
  {
    flag: '--database',
    documentation: 'Where the record is if it is in PostgreSQL (BURNISH_DATABASE_URL).',
  },
];

/** What every command of a group takes. */
export function commonOptions<Call>(group: CommandGroup<Call>): readonly AdministrationOption[] {
  return [...PLACE, ...group.commonOptions];
}

/** How a group of commands is used. */
export function groupUsage<Call>(group: CommandGroup<Call>): string {
  const width = Math.max(...group.commands.map(({ name }) => name.length)) + 2;
  const lines = group.commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`);
  return `usage: burnish ${group.name} COMMAND [options]

${group.introduction} 'burnish ${group.name} COMMAND --help' lists options.

${lines.join('')}`;
}

/** How one of them is used. */
export function commandUsage<Call>(
  group: CommandGroup<Call>,
  command: AdministrationCommand<Call>,
): string {
  const own = command.options.map((option) =>
    describe(option, option.optional === true ? ' Optional.' : ''),
  );
  const common = commonOptions(group).map((option) => describe(option, ''));
  return `usage: burnish ${group.name} ${command.name} [options]

${command.summary}

${own.join('')}
${common.join('')}`;
}

function describe({ flag, documentation, choices }: AdministrationOption, note: string): string {
  const value = choices?.join('|') ?? flag.slice(flag.lastIndexOf('-') + 1).toUpperCase();
  return `  ${flag} ${value}\n      ${documentation}${note}\n`;
}
