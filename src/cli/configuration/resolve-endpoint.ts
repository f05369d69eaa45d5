import { CliError, EXIT_STATUS, UsageError } from '../output/errors.js';
import type { Environment, SharedConfig } from './shared-config.js';

/** Where the embedded service listens unless it is told otherwise. */
const LOCAL_ENDPOINT = 'http://127.0.0.1:4580';

/** The key of the service in environment variables and in `[services …]` sections. */
const SERVICE = { variable: 'AWS_ENDPOINT_URL_SAGEMAKER', key: 'sagemaker.endpoint_url' } as const;

/**
 * Decides where requests go: the option, the environment, the configuration, in AWS's order, and
 * then, unlike with the AWS CLI, the local service. A profile or a region made for AWS never leads
 * to AWS by itself.
 *
 * @throws UsageError where the option is no URL, CliError where another source's value is none.
 */
export function resolveEndpoint(
  option: string | undefined,
  env: Environment,
  { values, services }: SharedConfig,
): { readonly url: string; readonly isDefault: boolean } {
  if (option !== undefined) return { url: checkOption(option), isDefault: false };
  const ignored = env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS ?? values.ignore_configured_endpoint_urls;
  const configured =
    ignored?.toLowerCase() === 'true'
      ? undefined
      : env[SERVICE.variable] ||
        env.AWS_ENDPOINT_URL ||
        services[SERVICE.key] ||
        values.endpoint_url;
  const url = configured || env.BURNISH_ENDPOINT_URL || LOCAL_ENDPOINT;
  return { url: checkScheme(url), isDefault: !configured };
}

function checkOption(url: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) return checkScheme(url);
  throw new UsageError(
    `Bad value for --endpoint-url "${url}": scheme is missing.  Must be of the form http://<hostname>/ or https://<hostname>/`,
  );
}

function checkScheme(url: string): string {
  if (!URL.canParse(url)) throw new CliError(`Invalid endpoint: ${url}`, EXIT_STATUS.failure);
  const scheme = new URL(url).protocol.slice(0, -1);
  if (scheme === 'http' || scheme === 'https') return url;
  throw new CliError(
    `An HTTP Client raised an unhandled exception: Not supported URL scheme ${scheme}`,
    EXIT_STATUS.failure,
  );
}

/** Whether a URL can lead nowhere but to this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname)
  );
}
