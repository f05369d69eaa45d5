import type { CommandArguments } from '../arguments/parse-command-arguments.js';
import type { Client } from '../client/client.js';
import type { Command } from '../configuration/command-table.js';
import type { Settings } from '../configuration/settings.js';

/** What a command has to go by. */
export interface CommandContext {
  readonly command: Command;
  readonly given: CommandArguments;
  readonly settings: Settings;
  /** Fires where the user interrupts the program. */
  readonly signal: AbortSignal;
}

/** Does something with a connection to the service, and lets go of it whatever happens. */
export async function withClient<Result>(
  settings: Settings,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { createClient } = await import('../client/send-request.js');
  const client = await createClient(settings);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
