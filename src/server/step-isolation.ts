import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StepIsolation } from '../executors/local-process/local-process-executor.js';
import type { ServiceConfiguration } from './configuration.js';

/** Variables that name files with the service's own secrets. */
const SECRET_FILE_VARIABLES = [
  'BURNISH_MASTER_KEY_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONFIG_FILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
] as const;

/** What steps that run on this machine are kept from, and which networks they can be given. */
export function stepIsolation({ dataDir, file }: ServiceConfiguration): StepIsolation {
  const named = SECRET_FILE_VARIABLES.flatMap((name) => process.env[name] ?? []);
  const usual = ['.aws', '.ssh', '.docker', '.kube'].map((name) => join(homedir(), name));
  return {
    hidden: { dataDir, secrets: [...named, ...usual].map((path) => resolve(path)) },
    networks: (file.networks ?? []).map(({ securityGroups, ...network }) => ({
      ...network,
      securityGroups: securityGroups.map(({ id, allows = [] }) => ({ id, allows })),
    })),
  };
}
