import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type {
  S3EndpointConfiguration,
  ServiceConfiguration,
  TlsFiles,
} from '../../server/configuration.js';
import { DEFAULT_CONFIGURATION } from '../../server/configuration.js';
import type { FileConfiguration } from '../../server/configuration-file/configuration-shape.js';

const USAGE = `usage: burnish serve [options]

Starts the service and prints one line with its endpoint URL when it is ready.

  --port N                 the port to listen on; 0 for any free one (${DEFAULT_CONFIGURATION.port})
  --host H                 the address to listen on (${DEFAULT_CONFIGURATION.host})
  --data-dir DIR           where everything is kept: the record of jobs, buckets, keys, logs
                           (BURNISH_DATA_DIR, or ${DEFAULT_CONFIGURATION.dataDir})
  --region R               the region in the ARNs of jobs (${DEFAULT_CONFIGURATION.region})
  --account-id N           the account in the ARNs of jobs (${DEFAULT_CONFIGURATION.accountId})
  --concurrent-jobs N      the most jobs that run at once; as many as there are cores and memory for
                           if not given
  --max-queued-jobs N      how many jobs may wait (${DEFAULT_CONFIGURATION.maxQueuedJobs})
  --stop-grace-seconds N   time to save between SIGTERM and SIGKILL (${DEFAULT_CONFIGURATION.stopGraceSeconds})
  --silence-seconds N      how long a step may go without a sign of life (${DEFAULT_CONFIGURATION.silenceSeconds})
  --log-level L            debug, info, warn, error or silent (${DEFAULT_CONFIGURATION.logLevel})
  --s3-endpoint URL        resolve s3:// URIs at this S3 endpoint instead of the embedded store;
                           credentials come from the environment, as for the AWS SDKs
  --s3-region R            that endpoint's region (the service's region)
  --s3-path-style          put the bucket into the path, not into the host name
  --tls-cert FILE          answer over TLS with this certificate (PEM, with its chain)
  --tls-key FILE           and this private key (PEM)
  --allow-unsigned         take requests without a signature for the administrator's
  --database URL           keep the record of jobs in this PostgreSQL database, which several nodes may
                           share: postgres://USER@HOST:PORT/DATABASE (BURNISH_DATABASE_URL; a
                           password belongs there, or into PGPASSWORD, not on a command line)
  --config FILE            a YAML file with what is too much for a command line; docs/operating.md lists it
`;

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  'data-dir': { type: 'string' },
  region: { type: 'string' },
  'account-id': { type: 'string' },
  'concurrent-jobs': { type: 'string' },
  'max-queued-jobs': { type: 'string' },
  'stop-grace-seconds': { type: 'string' },
  'silence-seconds': { type: 'string' },
  'log-level': { type: 'string' },
  's3-endpoint': { type: 'string' },
  's3-region': { type: 'string' },
  's3-path-style': { type: 'boolean' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'allow-unsigned': { type: 'boolean' },
  database: { type: 'string' },
  config: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

/** What was wrong with the arguments of `serve`. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * `burnish serve`: runs the service until SIGINT or SIGTERM.
 * @returns the exit status: 0 after a clean end, 252 for wrong arguments, 255 when it can't start
 */
export async function serve(argv: readonly string[]): Promise<number> {
  let configuration: ServiceConfiguration | undefined;
  try {
    configuration = await readConfiguration(argv);
  } catch (error) {
    process.stderr.write(`${USAGE}\nburnish serve: error: ${(error as Error).message}\n`);
    return 252;
  }
  if (configuration === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { startService } = await import('../../server/service.js');
  try {
    const service = await startService(configuration);
    process.stdout.write(`Burnish is ready at ${service.url}\n`);
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve);
      process.once('SIGTERM', resolve);
    });
    // Whoever asks a second time does not want to wait for running jobs.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void service.leaveJobs());
    }
    await service.close();
    return 0;
  } catch (error) {
    process.stderr.write(`burnish serve: error: ${(error as Error).message}\n`);
    return 255;
  }
}

async function readConfiguration(
  argv: readonly string[],
): Promise<ServiceConfiguration | undefined> {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS, strict: true });
  if (values.help === true) return undefined;
  const fallback = DEFAULT_CONFIGURATION;
  const region = values.region ?? fallback.region;
  const accountId = values['account-id'] ?? fallback.accountId;
  if (!/^\d{12}$/.test(accountId)) throw new UsageError('--account-id takes twelve digits');
  const logLevel = values['log-level'] ?? fallback.logLevel;
  if (!LOG_LEVELS.includes(logLevel)) {
    throw new UsageError(`--log-level takes one of ${LOG_LEVELS.join(', ')}`);
  }
  const count = (option: CountOption, otherwise: number, min: number, max: number) =>
    readCount(option, values[option], { min, max }) ?? otherwise;
  return {
    host: values.host ?? fallback.host,
    port: count('port', fallback.port, 0, 65_535),
    // Steps run in folders of their own, so paths are told to them whole.
    dataDir: resolve(values['data-dir'] ?? process.env.BURNISH_DATA_DIR ?? fallback.dataDir),
    accountId,
    region,
    concurrentJobs: count('concurrent-jobs', fallback.concurrentJobs, 1, 1_000),
    maxQueuedJobs: count('max-queued-jobs', fallback.maxQueuedJobs, 1, 1_000_000),
    stopGraceSeconds: count('stop-grace-seconds', fallback.stopGraceSeconds, 0, 86_400),
    silenceSeconds: count('silence-seconds', fallback.silenceSeconds, 1, 86_400),
    logLevel,
    s3Endpoint: readS3Endpoint(
      values['s3-endpoint'],
      values['s3-region'] ?? region,
      values['s3-path-style'] === true,
    ),
    tls: readTls(values['tls-cert'], values['tls-key']),
    allowUnsigned: values['allow-unsigned'] === true,
    database: readDatabase(values.database ?? process.env.BURNISH_DATABASE_URL),
    file: await readFileConfiguration(values.config),
  };
}

async function readFileConfiguration(path: string | undefined): Promise<FileConfiguration> {
  if (path === undefined) return {};
  const { readConfigurationFile } = await import(
    '../../server/configuration-file/read-configuration-file.js'
  );
  return readConfigurationFile(path);
}

function readTls(certFile: string | undefined, keyFile: string | undefined): TlsFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new UsageError('--tls-cert and --tls-key are given together');
  }
  return { certFile, keyFile };
}

function readDatabase(url: string | undefined): string | undefined {
  if (url === undefined || url === '') return undefined;
  // What was given is not shown: it may hold a password.
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError('--database takes a URL that begins with postgres://');
  }
  return url;
}

function readS3Endpoint(
  endpoint: string | undefined,
  region: string,
  pathStyle: boolean,
): S3EndpointConfiguration | undefined {
  if (endpoint === undefined) return undefined;
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw new UsageError('--s3-endpoint takes a URL that begins with http:// or https://');
  }
  return { endpoint, region, pathStyle };
}

type CountOption =
  | 'port'
  | 'concurrent-jobs'
  | 'max-queued-jobs'
  | 'stop-grace-seconds'
  | 'silence-seconds';

function readCount(
  option: CountOption,
  given: string | undefined,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (given === undefined) return undefined;
  const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`--${option} takes a whole number from ${min} to ${max}, not '${given}'`);
  }
  return value;
}
