import { CliError, EXIT_STATUS } from '../output/errors.js';

/** The service answered with an error. */
export class ServiceResponseError extends CliError {
  override readonly name = 'ServiceResponseError';

  constructor(
    readonly code: string,
    /** The service's own sentence. */
    readonly reason: string,
    readonly operation: string,
    readonly httpStatus: number,
    /** How often the request was sent again; set where the last try failed too. */
    readonly retriesExhausted?: number,
    /** A line of ours on what to do, after the service's own. */
    hint?: string,
  ) {
    const retries =
      retriesExhausted === undefined ? '' : ` (reached max retries: ${retriesExhausted})`;
    super(
      `An error occurred (${code}) when calling the ${operation} operation${retries}: ${reason}` +
        `${hint === undefined ? '' : `\n${hint}`}`,
      EXIT_STATUS.serviceError,
    );
  }
}

export type ConnectionFailure =
  | 'closed'
  | 'connect-timeout'
  | 'proxy'
  | 'read-timeout'
  | 'tls'
  | 'unreachable'
  | 'unreadable';

const CONNECTION_MESSAGES: Record<ConnectionFailure, (url: string, detail: string) => string> = {
  closed: (url) =>
    `Connection was closed before we received a valid response from endpoint URL: "${url}".`,
  'connect-timeout': (url) => `Connect timeout on endpoint URL: "${url}"`,
  proxy: (url) => `Failed to connect to proxy URL: "${url}"`,
  'read-timeout': (url) => `Read timeout on endpoint URL: "${url}"`,
  tls: (url, detail) => `SSL validation failed for ${url} ${detail}`,
  unreachable: (url, detail) => `Could not connect to the endpoint URL: "${url}"${detail}`,
  unreadable: (url, detail) => `The answer from ${url} could not be read: ${detail}`,
};

/** No answer, or none that can be read. */
export class ConnectionError extends CliError {
  override readonly name = 'ConnectionError';

  constructor(
    readonly failure: ConnectionFailure,
    /** The URL of the endpoint or the proxy. */
    readonly url: string,
    detail = '',
    options?: ErrorOptions,
  ) {
    super(CONNECTION_MESSAGES[failure](url, detail), EXIT_STATUS.failure, options);
  }
}
