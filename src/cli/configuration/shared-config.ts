/** The shared configuration and credentials files, and the profile that is chosen among them. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CliError, EXIT_STATUS } from '../output/errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export type ProfileValues = Readonly<Record<string, string | undefined>>;

export interface SharedConfig {
  readonly profile: string;
  /** Given as an option, which wins over access keys in the environment. */
  readonly isOption: boolean;
  /** The profile's settings from both files; the credentials file wins. */
  readonly values: ProfileValues;
  /** Settings by service from the `[services …]` section that the profile names. */
  readonly services: ProfileValues;
}

const DEFAULT_PROFILE = 'default';

const homeDirectory = (env: Environment): string => env.HOME || homedir();

/** Where the embedded service keeps its keys, and all else. */
const dataDirectory = (env: Environment): string =>
  env.BURNISH_DATA_DIR || join(homeDirectory(env), '.local', 'share', 'burnish');

/**
 * Reads the profile that the option or the environment names.
 *
 * @param option the value of `--profile`
 * @throws CliError where the named profile is in neither file.
 */
export async function loadSharedConfig(
  option: string | undefined,
  env: Environment,
): Promise<SharedConfig> {
  const named = option ?? (env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || undefined);
  const profile = named ?? DEFAULT_PROFILE;
  const { configFile, credentialsFile } = await readFiles(
    env.AWS_CONFIG_FILE || join(homeDirectory(env), '.aws', 'config'),
    env.AWS_SHARED_CREDENTIALS_FILE || join(homeDirectory(env), '.aws', 'credentials'),
  );
  const found = Object.hasOwn(configFile, profile) || Object.hasOwn(credentialsFile, profile);
  if (named !== undefined && !found && profile !== DEFAULT_PROFILE) {
    throw new CliError(`The config profile (${profile}) could not be found`, EXIT_STATUS.failure);
  }
  const values = { ...configFile[profile], ...credentialsFile[profile] };
  const services = values.services === undefined ? {} : configFile[`services.${values.services}`];
  return { profile, isOption: option !== undefined, values, services: services ?? {} };
}

/** The default profile of the files that the embedded service made in its data folder. */
export async function loadEmbeddedConfig(env: Environment): Promise<ProfileValues> {
  const directory = dataDirectory(env);
  const { configFile, credentialsFile } = await readFiles(
    join(directory, 'config'),
    join(directory, 'credentials'),
  );
  return { ...configFile[DEFAULT_PROFILE], ...credentialsFile[DEFAULT_PROFILE] };
}

async function readFiles(configPath: string, credentialsPath: string) {
  if (!existsSync(configPath) && !existsSync(credentialsPath)) {
    return { configFile: {}, credentialsFile: {} } satisfies Files;
  }
  const { loadSharedConfigFiles } = await import('@smithy/shared-ini-file-loader');
  const files: Files = await loadSharedConfigFiles({
    configFilepath: configPath,
    filepath: credentialsPath,
  });
  return files;
}

interface Files {
  readonly configFile: Readonly<Record<string, ProfileValues>>;
  readonly credentialsFile: Readonly<Record<string, ProfileValues>>;
}
