import { CliError, EXIT_STATUS, InterruptedError } from './errors.js';

/**
 * Writes an error as the AWS CLI v2 does, a blank line first, and tells the exit status.
 */
export function printError(
  error: unknown,
  streams: {
    readonly stdout: { write(text: string): unknown };
    readonly stderr: { write(text: string): unknown };
  } = process,
): number {
  if (error instanceof InterruptedError) {
    streams.stdout.write('\n');
    return error.exitStatus;
  }
  const message = error instanceof Error ? error.message : String(error);
  streams.stderr.write(`\n${message}\n`);
  return error instanceof CliError ? error.exitStatus : EXIT_STATUS.failure;
}
