import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLocalProcessExecutor } from '../executors/local-process/local-process-executor.js';
import { loadOrCreateAccessKey } from '../identity/access-keys.js';
import { JobQueue } from '../jobs/job-queue.js';
import { openSqliteStore } from '../store/open-sqlite-store.js';
import { JobLogs } from '../telemetry/job-log.js';
import { createLogger } from '../telemetry/logger.js';
import { handleAwsJson } from './aws-json/handle-request.js';
import type { ServiceConfiguration } from './configuration.js';
import { createHttpServer } from './http-server.js';

const OPTIMIZER_PROGRAM = fileURLToPath(new URL('../optimizer/main.js', import.meta.url));

/** A service that runs. */
export interface Service {
  /** The endpoint, for example `http://127.0.0.1:4580`. */
  readonly url: string;
  /** Takes no more requests, ends what runs, and fulfils when all is closed. */
  close(): Promise<void>;
}
