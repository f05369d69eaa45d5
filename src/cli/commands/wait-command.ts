import { OPERATIONS } from '../../service-model/operations.js';
import { toRequest } from '../input/to-request.js';
import { buildInput } from './build-input.js';
import { type CommandContext, withClient } from './command-context.js';
import { waitForCompletion } from './wait-for-job.js';

/** `burnish wait optimization-job-completed --optimization-job-name NAME` */
export async function waitCommand(context: CommandContext): Promise<void> {
  const input = await buildInput(context.command, context.given);
  toRequest(OPERATIONS.DescribeOptimizationJob.input, input);
  await withClient(context.settings, (client) =>
    waitForCompletion(client, String(input.OptimizationJobName), context.signal),
  );
}
