import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { loadOrCreateMasterKey } from '#burnish/encryption/master-key.js';
import { IdentityAdministration } from '#burnish/identity/identity-administration.js';
import type { JobStore } from '#burnish/store/job-store.js';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';

export interface TestAdministration {
  readonly identities: IdentityAdministration;
  readonly store: JobStore;
  /** Fulfilled when the service there has taken up every change until now. */
  noticed(url: string): Promise<void>;
  close(): Promise<void>;
}

/** Changes the record of a service as `burnish iam` does, beside the service that runs on it. */
export async function administer(dataDir: string): Promise<TestAdministration> {
  const masterKey = await loadOrCreateMasterKey(dataDir);
  const store = await openSqliteStore(join(dataDir, 'jobs.db'));
  const identities = new IdentityAdministration(store.identities, masterKey);
  let markers = 0;
  return {
    store,
    identities,
    async noticed(url) {
      markers += 1;
      const name = `marker-${markers}`;
      await identities.createUser(name);
      const { key, secret } = await identities.createAccessKey(name);
      await untilKnown(url, { accessKeyId: key.id, secretAccessKey: secret });
    },
    close: () => store.close(),
  };
}

/** Waits until a service knows a key that was made last of all. */
async function untilKnown(
  endpoint: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<void> {
  const sts = new STSClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  try {
    for (;;) {
      const known = await sts.send(new GetCallerIdentityCommand({})).then(
        () => true,
        (error: Error) => {
          if (error.name === 'InvalidClientTokenId') return false;
          throw error;
        },
      );
      if (known) return;
      await delay(50);
    }
  } finally {
    sts.destroy();
  }
}
