import { homedir } from 'node:os';
import { join } from 'node:path';
import type { FileConfiguration } from './configuration-file/configuration-shape.js';

/** An S3 endpoint that `s3://` URIs resolve to, instead of the embedded store. */
export interface S3EndpointConfiguration {
  readonly endpoint: string;
  readonly region: string;
  readonly pathStyle: boolean;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ServiceConfiguration {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly dataDir: string;
  readonly accountId: string;
  readonly region: string;
  /** The most jobs that run at once, however much room the machine has. */
  readonly concurrentJobs: number;
  /** How many jobs may wait. */
  readonly maxQueuedJobs: number;
  /** How long a step has between SIGTERM and SIGKILL. */
  readonly stopGraceSeconds: number;
  /** How long a step may go without a sign of life before it is ended. */
  readonly silenceSeconds: number;
  readonly logLevel: string;
  readonly s3Endpoint: S3EndpointConfiguration | undefined;
  /** Answer over TLS with these PEM files. */
  readonly tls: TlsFiles | undefined;
  /** Whether a request without a signature is taken for the administrator's. */
  readonly allowUnsigned: boolean;
  /**
   * The URL of a PostgreSQL database that holds the record of jobs, instead of a file in the data folder.
   * It may hold a password, so it is never logged.
   */
  readonly database: string | undefined;
  /** What the configuration file says. */
  readonly file: FileConfiguration;
}

export const DEFAULT_CONFIGURATION: ServiceConfiguration = {
  host: '127.0.0.1',
  port: 4580,
  dataDir: join(homedir(), '.local', 'share', 'burnish'),
  accountId: '000000000000',
  region: 'us-east-1',
  concurrentJobs: 1_000,
  maxQueuedJobs: 1_000,
  stopGraceSeconds: 120,
  silenceSeconds: 900,
  logLevel: 'info',
  s3Endpoint: undefined,
  tls: undefined,
  allowUnsigned: false,
  database: undefined,
  file: {},
};
