import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadOrCreateMasterKey } from '../encryption/master-key.js';
import { NamedKeys } from '../encryption/named-keys.js';
import { probeIsolation } from '../executors/local-process/isolation/probe-isolation.js';
import { DEFAULT_TERMS_FILES } from '../executors/staging/license-terms.js';
import { processingCapacity } from '../jobs/admission/machine-capacity.js';
import { JobQueue } from '../jobs/job-queue.js';
import { KeptLayers, keptLimitsOf } from '../jobs/kept-layers.js';
import { openEmbeddedStore } from '../objects/embedded-store/embedded-store.js';
import type { ObjectStore } from '../objects/object-store.js';
import { parseS3Uri } from '../objects/s3-uri.js';
import { JobLogs } from '../telemetry/job-log.js';
import { LogKeeper, logLimitsOf } from '../telemetry/keep-logs.js';
import { createLogger } from '../telemetry/logger.js';
import { createMetrics } from '../telemetry/metrics.js';
import { AccessControl } from './access-control.js';
import { handleAwsJson } from './aws-json/handle-request.js';
import type { ServiceConfiguration } from './configuration.js';
import { createExecutors } from './create-executors.js';
import { readTls, warnOfExposure } from './exposure.js';
import { createHttpServer } from './http-server.js';
import { limitsFrom } from './limits.js';
import { masterKeySources } from './master-key-sources.js';
import { openCloudWatch } from './open-cloudwatch.js';
import { openIdentities } from './open-identities.js';
import { openPages } from './open-pages.js';
import { openRecord } from './open-record.js';
import { RateLimiter } from './rate-limiter.js';
import { createS3Front } from './s3/s3-front.js';
import { createStsFront } from './sts/sts-front.js';

/** More jobs than any number of nodes runs at once. */
const MAX_RUNNING = 10_000;

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
  const workFolder = join(dataDir, 'work');
  await mkdir(workFolder, { recursive: true });
  const logger = createLogger(configuration.logLevel);
  const tls = await readTls(configuration.tls);
  const record = await openRecord(configuration, logger);
  const { store, leases } = record;

  const limits = limitsFrom(configuration.file.limits);
  const masterKey = await loadOrCreateMasterKey(dataDir, masterKeySources());
  const namedKeys = new NamedKeys(store.keys, masterKey, { region, accountId });
  await namedKeys.removeDue();
  const embedded = await openEmbeddedStore(dataDir, namedKeys);
  await embedded.reclaim({ shared: record.shared });
  const { objects, endpointHosts } = await modelStore(configuration, embedded);
  const locate = (uri: string) => parseS3Uri(uri, { endpointHosts });
  // An S3 endpoint's own KMS knows its keys; it says so when the artifacts are published.
  const kmsKeys = objects === embedded ? namedKeys : undefined;
  const { directory, authorizer, roles } = await openIdentities(configuration, {
    store: store.identities,
    masterKey,
    objects,
    logger,
  });
  const metrics = createMetrics(() => store.countByState());
  const logs = new JobLogs(join(dataDir, 'logs'));
  const executor = createExecutors(configuration);
  const isolationKnown = probeIsolation().then((isolation) =>
    logger.info({ isolation }, 'how steps are isolated'),
  );
  const capacity = await processingCapacity(configuration.file.scheduling);
  const kept = new KeptLayers(
    join(dataDir, 'checkpoints'),
    keptLimitsOf(configuration.file.checkpoints),
  );
  await kept.sweep();
  const queue = new JobQueue(
    {
      store,
      leases,
      objects,
      roles,
      locate,
      kmsKeys,
      logs,
      logger,
      metrics,
      workFolder,
      kept,
      executor,
      capacity,
      copiesSources: configuration.s3Endpoint !== undefined,
      termsFiles: configuration.file.license?.termsFiles ?? DEFAULT_TERMS_FILES,
      graceMs: configuration.stopGraceSeconds * 1000,
      silenceMs: configuration.silenceSeconds * 1000,
    },
    configuration.concurrentJobs,
  );
  await queue.start();
  const logLimits = logLimitsOf(configuration.file.logs);
  const runningJobs = () => queue.runningJobs;
  const runningAnywhere = async () =>
    new Set(
      (await store.inStates(['INPROGRESS', 'STOPPING'], MAX_RUNNING)).map(({ name }) => name),
    );
  const logKeeper = new LogKeeper(logs, logLimits, runningJobs, runningAnywhere, logger);
  logKeeper.start();
  const closeCloudWatch = await openCloudWatch(configuration, {
    logs,
    metrics,
    runningJobs,
    runningAnywhere,
    jobsByState: () => store.countByState(),
    logger,
  });
  metrics.showResources(() => ({ given: queue.given, capacity }));

  const { maxQueuedJobs } = configuration;
  const operations = {
    accountId,
    region,
    store,
    queue,
    executor,
    objects,
    roles,
    locate,
    kmsKeys,
    logs,
    workFolder,
    kept,
    maxQueuedJobs,
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
      await logKeeper.close();
      await closeCloudWatch();
      await isolationKnown;
      await record.close();
    },
    leaveJobs: () => queue.close('leave'),
  };
}

/** Where models come from and go to: the configured S3 endpoint, or else the embedded store. */
async function modelStore(
  { s3Endpoint }: ServiceConfiguration,
  embedded: ObjectStore,
): Promise<{ readonly objects: ObjectStore; readonly endpointHosts: readonly string[] }> {
  if (s3Endpoint === undefined) return { objects: embedded, endpointHosts: [] };
  const { openS3EndpointStore } = await import('../objects/s3-endpoint-store/s3-endpoint-store.js');
  return {
    objects: await openS3EndpointStore(s3Endpoint),
    endpointHosts: [new URL(s3Endpoint.endpoint).host],
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
