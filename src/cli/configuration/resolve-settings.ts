import type { GlobalOptions } from './global-options.js';
import type { Settings } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Decides every setting from the options, the environment and the configuration files.
 *
 * @throws UsageError for a bad --query or --endpoint-url, ConfigurationError for what is wrong in
 * the environment or the files, for example a profile that does not exist.
 */
export async function resolveSettings(
  _globals: GlobalOptions,
  _env: Environment = process.env,
): Promise<Settings> {
  throw new Error('being written');
}
