import { type CommandContext, withClient } from './command-context.js';
import { withDirectOutput } from './direct-output.js';
import { showLogs } from './show-logs.js';

/** `burnish logs NAME [--follow]` */
export async function logsCommand({ given, settings, signal }: CommandContext): Promise<void> {
  const jobName = String(given.get('optimization-job-name'));
  const follow = given.get('--follow') === true;
  await withDirectOutput((output) =>
    withClient(settings, (client) => showLogs(client, jobName, follow, output, signal)),
  );
}
