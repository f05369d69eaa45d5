import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { NamedKeys } from '#burnish/encryption/named-keys.js';
import { rootPrincipal } from '#burnish/identity/principal.js';
import {
  type EmbeddedStore,
  openEmbeddedStore,
} from '#burnish/objects/embedded-store/embedded-store.js';
import type { AccessControl } from '#burnish/server/access-control.js';
import { createS3Front } from '#burnish/server/s3/s3-front.js';
import { administratorOnly } from '../../support/access.js';
import { memoryKeys } from '../../support/named-keys.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

export const KEY = {
  accessKeyId: 'AKIATESTTESTTESTTEST',
  secretAccessKey: 'secret/for+tests',
  principal: rootPrincipal('000000000000'),
};

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly store: EmbeddedStore;
  readonly kmsKeys: NamedKeys;
  /** Errors the front called its own fault. */
  readonly faults: unknown[];
  /** Called with every request first, for tests that break things; true if it has answered. */
  tamper:
    | ((request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>)
    | undefined;
  client(config?: S3ClientConfig): S3Client;
  close(): Promise<void>;
}

/** The S3 front on a port of its own, over an embedded store in a new folder. */
export async function startTestServer(
  region = 'us-east-1',
  access: AccessControl = administratorOnly(KEY, region),
): Promise<TestServer> {
  const dataDir = temporaryFolder('s3');
  const kmsKeys = await memoryKeys();
  const store = await openEmbeddedStore(dataDir, kmsKeys);
  const faults: unknown[] = [];
  const front = createS3Front({
    store,
    access,
    logger: { error: (fault: unknown) => void faults.push(fault) },
    region,
  });
  let count = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    count += 1;
    const id = `request-${count}`;
    if (self.tamper !== undefined && (await self.tamper(request, response))) return;
    await front(request, response, id);
  };
  const server: Server = createServer((request, response) => void handle(request, response));
  server.on('checkContinue', (request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const clients: S3Client[] = [];
  const self: TestServer = {
    url,
    port,
    dataDir,
    store,
    kmsKeys,
    faults,
    tamper: undefined,
    client(config = {}) {
      const client = new S3Client({
        endpoint: url,
        region,
        forcePathStyle: true,
        credentials: KEY,
        maxAttempts: 1,
        ...config,
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}
