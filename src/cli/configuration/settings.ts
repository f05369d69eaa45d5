import type { Query } from '../output/query.js';
import type { PagerChoice } from '../terminal/open-output.js';
import type { BinaryFormat, ColorChoice, OutputFormat } from './global-options.js';

/** An access key. `expiration` is in milliseconds since the epoch. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: number;
}

export type TimestampFormat = 'iso8601' | 'wire';

/** The modes differ only in what they do over many requests, which no command makes. */
export type RetryMode = 'standard' | 'adaptive';

/** Everything that options, environment and configuration files decide, in one place. */
export interface Settings {
  readonly profile: string;
  readonly region: string;
  /** Where requests go. */
  readonly endpointUrl: string;
  /** Nobody named an endpoint for AWS’s services, so it is Burnish’s own. */
  readonly endpointIsDefault: boolean;
  readonly output: OutputFormat;
  readonly query?: Query;
  readonly color: ColorChoice;
  readonly timestampFormat: TimestampFormat;
  readonly pager: PagerChoice;
  readonly binaryFormat: BinaryFormat;
  readonly paginate: boolean;
  readonly debug: boolean;
  readonly signRequest: boolean;
  readonly verifySsl: boolean;
  readonly caBundle?: string;
  /** Milliseconds; 0 waits for ever. */
  readonly connectTimeout: number;
  /** Milliseconds; 0 waits for ever. */
  readonly readTimeout: number;
  /** The first try included. */
  readonly maxAttempts: number;
  readonly retryMode: RetryMode;
  /**
   * The credentials to sign with.
   *
   * @throws ConfigurationError where none are to be found.
   */
  credentials(): Promise<Credentials>;
}
