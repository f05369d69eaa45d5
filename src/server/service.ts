import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { probeIsolation } from '../executors/local-process/isolation/probe-isolation.js';
import { createLogger } from '../telemetry/logger.js';
import { createMetrics } from '../telemetry/metrics.js';
import { AccessControl } from './access-control.js';
import { handleAwsJson } from './aws-json/handle-request.js';
import type { ServiceConfiguration } from './configuration.js';
import { readTls, warnOfExposure } from './exposure.js';
import { createHttpServer } from './http-server.js';
import { limitsFrom } from './limits.js';
import { observeJobs } from './observe-jobs.js';
import { openIdentities } from './open-identities.js';
import { openPages } from './open-pages.js';
import { openRecord } from './open-record.js';
import { openStorage } from './open-storage.js';
import { RateLimiter } from './rate-limiter.js';
import { createS3Front } from './s3/s3-front.js';
import { startJobs } from './start-jobs.js';
import { createStsFront } from './sts/sts-front.js';

/** A service that runs. */
export interface Service {
  /** The endpoint, for example `http://127.0.0.1:4580`. */
  readonly url: string;
  /**
   * Takes no more work and is fulfilled when all is closed; what becomes of running jobs is configured.
   * Where that is to wait for them, requests are answered meanwhile, and `leaveJobs` ends the waiting.
   */
  close(): Promise<void>;
  /** Leaves running jobs to the next start, also when `close` waits for them. */
  leaveJobs(): Promise<void>;
}

/**
 * Starts the service: takes up interrupted jobs and listens.
 * @throws an error that names the data folder when another service uses it, or the port when it is taken
 */
export async function startService(configuration: ServiceConfiguration): Promise<Service> {
  const { dataDir, accountId, region } = configuration;
  await mkdir(dataDir, { recursive: true });
  const logger = createLogger(configuration.logLevel);
  const tls = await readTls(configuration.tls);
  const record = await openRecord(configuration, logger);
  const { store } = record;
  const limits = limitsFrom(configuration.file.limits);
  const storage = await openStorage(configuration, record);
  const { masterKey, embedded, objects, locate, kmsKeys } = storage;
  const { directory, authorizer, roles } = await openIdentities(configuration, {
    store: store.identities,
    ...{ masterKey, objects, logger },
  });
  const metrics = createMetrics(() => store.countByState());
  const isolationKnown = probeIsolation().then((isolation) =>
    logger.info({ isolation }, 'how steps are isolated'),
  );
  const jobs = await startJobs(configuration, { record, storage, roles, logger, metrics });
  const { queue, logs } = jobs;
  const endObserving = await observeJobs(configuration, { store, queue, logs, metrics, logger });

  const { maxQueuedJobs } = configuration;
  const operations = {
    ...{ accountId, region, store, objects, roles, locate, kmsKeys, maxQueuedJobs },
    ...jobs,
  };
  const access = new AccessControl({
    keys: directory.findKey,
    authorizer,
    accountId,
    region,
    allowUnsigned: configuration.allowUnsigned,
    limiter: new RateLimiter(limits.requestsPerSecond, limits.burst),
  });
  const server = createHttpServer(
    {
      awsJson: (request, response, requestId) =>
        handleAwsJson({ operations, access, limits, logger }, request, response, requestId),
      s3: createS3Front({ store: embedded, access, logger, region }),
      sts: createStsFront({ directory, authorizer, masterKey, access, limits, logger }),
      open: openPages(metrics, store, () => queue.isOpen),
    },
    { logger, metrics, limits, tls },
  );
  const url = await listen(server, configuration);
  warnOfExposure(configuration, logger);
  logger.info({ url, dataDir }, 'ready');
  return {
    url,
    async close() {
      const mode = configuration.file.shutdown?.runningJobs ?? 'leave';
      logger.info({ runningJobs: mode }, 'going down');
      if (mode === 'finish') await queue.close(mode);
      server.close();
      server.closeIdleConnections();
      await queue.close(mode);
      server.closeAllConnections();
      directory.close();
      await endObserving();
      await isolationKnown;
      await record.close();
    },
    leaveJobs: () => queue.close('leave'),
  };
}

function listen(server: Server, { host, port, tls }: ServiceConfiguration): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address() as AddressInfo;
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      resolve(`${tls === undefined ? 'http' : 'https'}://${name}:${address.port}`);
    });
  });
}
