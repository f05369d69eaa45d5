import { IAM_COMMANDS, type IamCommand } from './iam-commands.js';

const COMMON = `
  --data-dir DIR        where the service keeps its record (BURNISH_DATA_DIR, or the default of serve)
  --database URL        where the record is if it is in PostgreSQL (BURNISH_DATABASE_URL)
  --account-id N        the account in ARNs that are printed (000000000000)
`;

/** How `burnish iam`, or one of its commands, is used. */
export function iamUsage(command?: IamCommand): string {
  if (command === undefined) {
    const width = Math.max(...IAM_COMMANDS.map(({ name }) => name.length)) + 2;
    const lines = IAM_COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`);
    return `usage: burnish iam COMMAND [options]

Manages who may use the service, and what the roles of jobs may touch. It works on the service's record
directly; a service that runs takes changes up within a second. 'burnish iam COMMAND --help' lists options.

${lines.join('')}`;
  }
  const lines = command.options.map(({ flag, documentation, optional, choices }) => {
    const name = `${flag} ${choices?.join('|') ?? flag.slice(flag.lastIndexOf('-') + 1).toUpperCase()}`;
    return `  ${name}\n      ${documentation}${optional === true ? ' Optional.' : ''}\n`;
  });
  return `usage: burnish iam ${command.name} [options]

${command.summary}

${lines.join('')}${COMMON}`;
}
