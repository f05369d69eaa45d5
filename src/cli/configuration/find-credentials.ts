import { CliError, ConfigurationError, EXIT_STATUS } from '../output/errors.js';
import type { Credentials } from './settings.js';
import {
  type Environment,
  loadEmbeddedConfig,
  type ProfileValues,
  type SharedConfig,
} from './shared-config.js';

/** Settings of a profile that say that its credentials come from somewhere else. */
const PROVIDER_SETTINGS = [
  'credential_process',
  'credential_source',
  'login_session',
  'role_arn',
  'source_profile',
  'sso_session',
  'sso_start_url',
  'web_identity_token_file',
];

/** Environment variables that lead to credentials which have to be fetched. */
const PROVIDER_VARIABLES = [
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
];

/**
 * Finds the credentials to sign with, in the AWS CLI's order: the environment (unless a profile is
 * given as an option), the profile, whatever else the AWS SDK's chain knows. Where nothing is
 * configured and the endpoint is on this machine, the embedded service's own.
 *
 * @throws ConfigurationError where there are none, CliError where a source fails.
 */
export async function findCredentials(
  config: SharedConfig,
  env: Environment,
  place: { readonly region: string; readonly isLoopback: boolean },
): Promise<Credentials> {
  const fromEnvironment = config.isOption ? undefined : environmentCredentials(env);
  if (fromEnvironment !== undefined) return fromEnvironment;
  const isFetched =
    PROVIDER_SETTINGS.some((name) => config.values[name] !== undefined) ||
    (!config.isOption && PROVIDER_VARIABLES.some((name) => Boolean(env[name])));
  if (!isFetched) {
    const configured =
      profileCredentials(config.values, 'shared-credentials-file') ??
      (place.isLoopback
        ? profileCredentials(await loadEmbeddedConfig(env), 'the local service')
        : undefined);
    if (configured !== undefined) return configured;
  }
  return fetchCredentials(config.profile, place.region);
}

function environmentCredentials(env: Environment): Credentials | undefined {
  return staticCredentials(
    {
      id: env.AWS_ACCESS_KEY_ID,
      secret: env.AWS_SECRET_ACCESS_KEY,
      token: env.AWS_SESSION_TOKEN || env.AWS_SECURITY_TOKEN,
    },
    'env',
    'AWS_SECRET_ACCESS_KEY',
  );
}

function profileCredentials(values: ProfileValues, source: string): Credentials | undefined {
  return staticCredentials(
    {
      id: values.aws_access_key_id,
      secret: values.aws_secret_access_key,
      token: values.aws_session_token || values.aws_security_token,
    },
    source,
    'aws_secret_access_key',
  );
}

function staticCredentials(
  key: {
    readonly id: string | undefined;
    readonly secret: string | undefined;
    readonly token: string | undefined;
  },
  source: string,
  secretName: string,
): Credentials | undefined {
  if (!key.id) return undefined;
  if (!key.secret) {
    throw new CliError(
      `Partial credentials found in ${source}, missing: ${secretName}`,
      EXIT_STATUS.failure,
    );
  }
  return {
    accessKeyId: key.id,
    secretAccessKey: key.secret,
    ...(key.token ? { sessionToken: key.token } : {}),
  };
}

/** The chain would warn, on standard error, of access keys in the environment beside a profile. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

async function fetchCredentials(profile: string, region: string): Promise<Credentials> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  const provide = defaultProvider({ profile, clientConfig: { region }, logger: SILENT });
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await provide();
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(expiration === undefined ? {} : { expiration: expiration.getTime() }),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (/^Could not load credentials from any providers/.test(reason)) {
      throw new ConfigurationError(
        'Unable to locate credentials. You can configure credentials by running "aws configure".',
        { cause: error },
      );
    }
    throw new CliError(`Error when retrieving credentials: ${reason}`, EXIT_STATUS.failure, {
      cause: error,
    });
  }
}
