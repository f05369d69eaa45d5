import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { IdentityAdministration } from '#burnish/identity/identity-administration.js';
import type { IdentityStore } from '#burnish/store/identity-store.js';
import type { JobStore } from '#burnish/store/job-store.js';

const PROGRAM = fileURLToPath(new URL('./administer-process.mjs', import.meta.url));

export interface TestAdministration {
  readonly identities: Pick<IdentityAdministration, keyof IdentityAdministration>;
  readonly record: Pick<IdentityStore, keyof IdentityStore>;
  readonly store: Pick<JobStore, 'create' | 'transition' | 'list'>;
  /** Fulfilled when the service there has taken up every change until now. */
  noticed(url: string): Promise<void>;
  close(): Promise<void>;
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly message?: string;
}

/** Changes the record of a service as `burnish iam` does, beside the service that runs on it. */
export async function administer(dataDir: string): Promise<TestAdministration> {
  const child = fork(PROGRAM, [dataDir], { serialization: 'advanced' });
  await once(child, 'message');
  const callable = <Target>(target: string) => remote(child, target) as Target;
  const identities = callable<TestAdministration['identities']>('identities');
  let markers = 0;
  return {
    identities,
    record: callable('record'),
    store: callable('store'),
    async noticed(url) {
      markers += 1;
      const name = `marker-${markers}`;
      await identities.createUser(name);
      const { key, secret } = await identities.createAccessKey(name);
      await untilKnown(url, { accessKeyId: key.id, secretAccessKey: secret });
    },
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

let calls = 0;

/** An object whose methods are called in the child process. */
function remote(child: ChildProcess, target: string): unknown {
  return new Proxy(
    {},
    {
      get:
        (_, method) =>
        (...args: readonly unknown[]) => {
          calls += 1;
          const id = calls;
          return new Promise((resolve, reject) => {
            const listen = (reply: Reply) => {
              if (reply.id !== id) return;
              child.off('message', listen);
              if (reply.message === undefined) resolve(reply.result);
              else reject(new Error(reply.message));
            };
            child.on('message', listen);
            child.send({ id, target, method, args });
          });
        },
    },
  );
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
