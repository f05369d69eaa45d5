import { OPTIMIZATION_JOBS_LOG_GROUP } from '../service-model/cloudwatch-logs-operations.js';
import { openCloudWatchLogs } from '../telemetry/cloudwatch/log-sink.js';
import { LogPutter } from '../telemetry/cloudwatch/put-logs.js';
import { MetricPutter, openCloudWatchMetrics } from '../telemetry/cloudwatch/put-metrics.js';
import type { JobLogs } from '../telemetry/job-log.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { ServiceConfiguration } from './configuration.js';

const DEFAULT_NAMESPACE = 'Burnish';
const DEFAULT_PERIOD_SECONDS = 60;

interface Observed {
  readonly logs: JobLogs;
  readonly metrics: Metrics;
  readonly runningJobs: () => Iterable<string>;
  readonly runningAnywhere: () => Promise<ReadonlySet<string>>;
  readonly jobsByState: () => Promise<ReadonlyMap<string, number>>;
  readonly logger: Logger;
}

/**
 * Begins to put logs and metrics to CloudWatch, where the configuration has it.
 * @returns a function that puts what is left, and ends it
 */
export async function openCloudWatch(
  { file, region }: Pick<ServiceConfiguration, 'file' | 'region'>,
  { logs, metrics, runningJobs, runningAnywhere, jobsByState, logger }: Observed,
): Promise<() => Promise<void>> {
  const settings = file.cloudWatch;
  if (settings === undefined) return async () => undefined;
  const where = { region: settings.region ?? region };
  const closing: (() => Promise<void>)[] = [];
  if (settings.logs !== false) {
    const endpoint = { ...where, endpoint: settings.logsEndpoint };
    const sink = await openCloudWatchLogs(
      endpoint,
      settings.logGroup ?? OPTIMIZATION_JOBS_LOG_GROUP,
    );
    const putter = new LogPutter(logs, sink, runningJobs, logger);
    await putter.start(await runningAnywhere());
    closing.push(() => putter.close());
  }
  if (settings.metrics !== false) {
    const endpoint = { ...where, endpoint: settings.metricsEndpoint };
    const sink = await openCloudWatchMetrics(endpoint, settings.namespace ?? DEFAULT_NAMESPACE);
    const periodMs = (settings.periodSeconds ?? DEFAULT_PERIOD_SECONDS) * 1000;
    const putter = new MetricPutter(sink, jobsByState, periodMs, logger);
    metrics.listen(putter);
    putter.start();
    closing.push(() => putter.close());
  }
  return async () => {
    await Promise.all(closing.map((close) => close()));
  };
}
