import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharedConfigFiles } from '@smithy/shared-ini-file-loader';
import { makeFolderDurably, systemErrorCode, writeFileDurably } from '../objects/durable-files.js';
import { newIdentifier, newSecret } from './new-identifiers.js';
import { rootPrincipal } from './principal.js';
import type { AccessKey } from './signature-v4.js';

/** The key is readable by the owner of the service alone. */
const PRIVATE_MODE = 0o600;

/** A `credentials` file that holds no usable key. */
export class CredentialsFileError extends Error {
  override readonly name = 'CredentialsFileError';
}

export interface AccessKeyOptions {
  /** Region written to a new `config` file; `us-east-1` if not given. */
  readonly region?: string;
  /** The account whose administrator the key stands for; 000000000000 if not given. */
  readonly accountId?: string;
}

/**
 * The service's own access key, kept in `DATA/credentials` beside a `DATA/config`, both in the AWS
 * shared-file format, so that AWS clients can be pointed at them as they stand. The first start
 * makes them; later starts read what is there, edited by hand or not.
 *
 * @throws CredentialsFileError when the file has no key under `[default]`
 */
export async function loadOrCreateAccessKey(
  dataDir: string,
  options: AccessKeyOptions = {},
): Promise<AccessKey> {
  const credentialsFile = join(dataDir, 'credentials');
  const configFile = join(dataDir, 'config');
  await makeFolderDurably(dataDir);
  await createUnlessThere(
    configFile,
    () => `[default]\nregion = ${options.region ?? 'us-east-1'}\noutput = json\n`,
  );
  await createUnlessThere(credentialsFile, () => {
    return `[default]\naws_access_key_id = ${newIdentifier('accessKey')}\naws_secret_access_key = ${newSecret()}\n`;
  });
  return readAccessKey(credentialsFile, configFile, options.accountId ?? '000000000000');
}

async function createUnlessThere(file: string, content: () => string): Promise<void> {
  if (existsSync(file)) return;
  try {
    await writeFileDurably(file, content(), { mode: PRIVATE_MODE, exclusive: true });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

async function readAccessKey(
  credentialsFile: string,
  configFile: string,
  accountId: string,
): Promise<AccessKey> {
  await readFile(credentialsFile); // The loader takes an unreadable file for an empty one.
  const { credentialsFile: profiles } = await loadSharedConfigFiles({
    filepath: credentialsFile,
    configFilepath: configFile,
    ignoreCache: true,
  });
  const accessKeyId = profiles.default?.aws_access_key_id;
  const secretAccessKey = profiles.default?.aws_secret_access_key;
  if (!accessKeyId || !secretAccessKey) {
    throw new CredentialsFileError(
      `${credentialsFile} has no aws_access_key_id and aws_secret_access_key under [default]; add them, or remove the file to have a new key made`,
    );
  }
  return { accessKeyId, secretAccessKey, principal: rootPrincipal(accountId) };
}
