import { CliError, EXIT_STATUS, UsageError } from '../output/errors.js';

/** The value of an option cannot be parsed. */
export const parameterError = (flag: string, reason: string, options?: ErrorOptions): UsageError =>
  new UsageError(`Error parsing parameter '${flag}': ${reason}`, options);

/**
 * A value cannot be converted to the type of its member. The AWS CLI does not count this as a
 * usage error: it ends with its status for everything else.
 */
export class ConversionError extends CliError {
  override readonly name = 'ConversionError';

  constructor(reason: string, flag?: string) {
    const where = flag === undefined ? '' : `Error parsing parameter '${flag}': `;
    super(where + reason, EXIT_STATUS.failure);
  }
}
