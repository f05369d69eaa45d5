import type { MasterKeySources } from '../encryption/master-key.js';

/**
 * Where the environment says the master key is. The key itself is taken out of the environment, so that
 * no process that this one starts can find it there.
 */
export function masterKeySources(environment: NodeJS.ProcessEnv = process.env): MasterKeySources {
  const { BURNISH_MASTER_KEY: key, BURNISH_MASTER_KEY_FILE: file } = environment;
  if (key !== undefined) {
    taken = key;
    delete environment.BURNISH_MASTER_KEY;
  }
  return { key: key ?? taken, file };
}

/** Kept for a service that is started again in the same process. */
let taken: string | undefined;
