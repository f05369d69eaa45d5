import { CliError, ConfigurationError, EXIT_STATUS } from '../output/errors.js';
import type { PagerChoice } from '../terminal/open-output.js';
import { findCredentials } from './find-credentials.js';
import {
  BINARY_FORMATS,
  type BinaryFormat,
  type GlobalOptions,
  OUTPUT_FORMATS,
  type OutputFormat,
} from './global-options.js';
import { isLoopback, resolveEndpoint } from './resolve-endpoint.js';
import type { Credentials, RetryMode, Settings, TimestampFormat } from './settings.js';
import {
  type Environment,
  loadEmbeddedConfig,
  loadSharedConfig,
  type ProfileValues,
} from './shared-config.js';

export type { Environment } from './shared-config.js';

/** The region of the embedded service unless it is configured with another. */
const LOCAL_REGION = 'us-east-1';

const DEFAULT_PAGER = 'less';

const DEFAULT_TIMEOUT_SECONDS = 60;

/** The first try and two more. */
const DEFAULT_MAX_ATTEMPTS = 3;

const TIMESTAMP_FORMATS = ['wire', 'iso8601'] as const;
const RETRY_MODES = ['standard', 'adaptive'] as const;

/**
 * Decides every setting from the options, the environment and the configuration files.
 *
 * @throws UsageError for a bad --query or --endpoint-url, ConfigurationError or CliError for what is
 * wrong in the environment or the files, for example a profile that does not exist.
 */
export async function resolveSettings(
  globals: GlobalOptions,
  env: Environment = process.env,
): Promise<Settings> {
  const query = globals.query === undefined ? undefined : await compile(globals.query);
  const config = await loadSharedConfig(globals.profile, env);
  const { values } = config;
  const { url: endpointUrl, isDefault } = resolveEndpoint(globals.endpointUrl, env, config);
  const isLocal = isLoopback(endpointUrl);
  const region = await resolveRegion(globals.region, env, values, isLocal);
  const caBundle = globals.caBundle || env.AWS_CA_BUNDLE || values.ca_bundle;
  let credentials: Promise<Credentials> | undefined;
  return {
    profile: config.profile,
    region,
    endpointUrl,
    endpointIsDefault: isDefault,
    output: resolveOutput(globals, env, values),
    ...(query === undefined ? {} : { query }),
    color: globals.color,
    timestampFormat: resolveTimestampFormat(values),
    pager: resolvePager(globals, env, values),
    binaryFormat: resolveBinaryFormat(globals, values),
    paginate: globals.paginate,
    debug: globals.debug,
    signRequest: globals.signRequest,
    verifySsl: globals.verifySsl,
    ...(caBundle ? { caBundle } : {}),
    connectTimeout: milliseconds(globals.cliConnectTimeout),
    readTimeout: milliseconds(globals.cliReadTimeout),
    maxAttempts: resolveMaxAttempts(env, values),
    retryMode: resolveRetryMode(env, values),
    credentials: () => {
      credentials ??= findCredentials(config, env, { region, isLoopback: isLocal });
      return credentials;
    },
  };
}

async function compile(expression: string) {
  const { compileQuery } = await import('../output/query.js');
  return compileQuery(expression);
}

async function resolveRegion(
  option: string | undefined,
  env: Environment,
  values: ProfileValues,
  isLocal: boolean,
): Promise<string> {
  const configured = option || env.AWS_REGION || env.AWS_DEFAULT_REGION || values.region;
  const region =
    configured || (isLocal ? (await loadEmbeddedConfig(env)).region : undefined) || LOCAL_REGION;
  if (/^(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/.test(region)) return region;
  throw new CliError(
    `Provided region_name '${region}' doesn't match a supported format.`,
    EXIT_STATUS.failure,
  );
}

function resolveOutput(
  globals: GlobalOptions,
  env: Environment,
  values: ProfileValues,
): OutputFormat {
  const name = globals.output ?? env.AWS_DEFAULT_OUTPUT ?? values.output ?? 'json';
  const format = OUTPUT_FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw new CliError(`Unknown output type: ${name}`, EXIT_STATUS.failure);
}

function resolveTimestampFormat(values: ProfileValues): TimestampFormat {
  const name = values.cli_timestamp_format ?? 'iso8601';
  const format = TIMESTAMP_FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw new ConfigurationError(
    `Unknown cli_timestamp_format value: ${name}, valid values are "wire" or "iso8601"`,
  );
}

function resolveBinaryFormat(globals: GlobalOptions, values: ProfileValues): BinaryFormat {
  const name = globals.cliBinaryFormat ?? values.cli_binary_format ?? 'base64';
  const format = BINARY_FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw new ConfigurationError(
    `Unknown cli_binary_format value: ${name}, valid values are ${BINARY_FORMATS.join(' and ')}`,
  );
}

/** An empty value, unlike none, means that there is to be no pager. */
function resolvePager(
  globals: GlobalOptions,
  env: Environment,
  values: ProfileValues,
): PagerChoice {
  if (!globals.cliPager) return { command: undefined, isDefault: false };
  const configured = env.AWS_PAGER ?? values.cli_pager ?? env.PAGER;
  return { command: configured ?? DEFAULT_PAGER, isDefault: configured === undefined };
}

function resolveMaxAttempts(env: Environment, values: ProfileValues): number {
  const text = env.AWS_MAX_ATTEMPTS || values.max_attempts;
  if (text === undefined) return DEFAULT_MAX_ATTEMPTS;
  const attempts = Number(text);
  if (Number.isInteger(attempts) && attempts >= 1) return attempts;
  throw new CliError(
    `Invalid value provided to "max_attempts": "${text}" must be an integer, 1 or more`,
    EXIT_STATUS.failure,
  );
}

function resolveRetryMode(env: Environment, values: ProfileValues): RetryMode {
  const name = env.AWS_RETRY_MODE || values.retry_mode || 'standard';
  const mode = RETRY_MODES.find((known) => known === name);
  if (mode !== undefined) return mode;
  throw new CliError(
    `Invalid value provided to "mode": "${name}" must be one of: "standard" or "adaptive"`,
    EXIT_STATUS.failure,
  );
}

const milliseconds = (seconds: number | undefined): number =>
  (seconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000;
