import { readFile } from 'node:fs/promises';
import { ExecutorError } from '../executor.js';
import { DEFAULT_REGISTRY } from './image-reference.js';

/** What a registry asks for. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

/** Where credentials of registries come from. */
export interface CredentialSources {
  /** By registry; the password is the content of a file, so that configuration holds no secrets. */
  readonly registries: readonly {
    readonly registry: string;
    readonly username: string;
    readonly passwordFile: string;
  }[];
  /** A file as `docker login` writes it; it need not be there. */
  readonly dockerConfigFile: string | undefined;
}

/** Under which name `docker login` keeps Docker Hub. */
const HUB_KEY = 'https://index.docker.io/v1/';

/**
 * The credentials for a registry: the configured ones, or else those of `docker login`.
 * @returns undefined where there are none, which public images don't need
 * @throws ExecutorError when a configured file can't be read
 */
export async function findCredentials(
  registry: string,
  { registries, dockerConfigFile }: CredentialSources,
): Promise<RegistryCredentials | undefined> {
  const configured = registries.find((entry) => entry.registry === registry);
  if (configured !== undefined) {
    const { username, passwordFile } = configured;
    return { username, password: (await readConfigured(passwordFile, registry)).trim() };
  }
  if (dockerConfigFile === undefined) return undefined;
  const text = await readFile(dockerConfigFile, 'utf8').catch(() => '{}');
  return decodeAuth(authEntry(text, registry));
}

async function readConfigured(path: string, registry: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ExecutorError(
      `The password for the registry ${registry} can’t be read: ${(error as Error).message}`,
    );
  }
}

/** The `auth` of a registry in Docker's configuration file; a broken file holds none. */
function authEntry(text: string, registry: string): string | undefined {
  const keys = [
    registry,
    `https://${registry}`,
    `https://${registry}/v1/`,
    `https://${registry}/v2/`,
  ];
  if (registry === DEFAULT_REGISTRY) keys.push(HUB_KEY);
  try {
    const { auths = {} } = JSON.parse(text) as {
      readonly auths?: Readonly<Record<string, { readonly auth?: unknown }>>;
    };
    const auth = keys.map((key) => auths[key]?.auth).find((value) => value !== undefined);
    return typeof auth === 'string' ? auth : undefined;
  } catch {
    return undefined;
  }
}

/** Base64 of `USERNAME:PASSWORD`. */
function decodeAuth(auth: string | undefined): RegistryCredentials | undefined {
  if (auth === undefined) return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  // Some versions of `docker login` pad with NUL.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}
