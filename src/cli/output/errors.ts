/** The exit statuses of the AWS CLI v2. */
export const EXIT_STATUS = {
  success: 0,
  interrupted: 130,
  usage: 252,
  configuration: 253,
  serviceError: 254,
  failure: 255,
} as const;

/** An error that ends the program with a status of its own; the message is what the user reads. */
export class CliError extends Error {
  override readonly name: string = 'CliError';

  constructor(
    message: string,
    readonly exitStatus: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The arguments are wrong: the command never got as far as a request. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT_STATUS.usage, options);
  }
}

/** The environment or a configuration file is wrong, or lacks what the command needs. */
export class ConfigurationError extends CliError {
  override readonly name = 'ConfigurationError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT_STATUS.configuration, options);
  }
}

/** The user pressed Ctrl-C, or the process was told to end. */
export class InterruptedError extends CliError {
  override readonly name = 'InterruptedError';

  constructor() {
    super('', EXIT_STATUS.interrupted);
  }
}
