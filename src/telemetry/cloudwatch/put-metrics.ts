import type { Logger } from '../logger.js';
import type { MetricListener } from '../metrics.js';
import { type CloudWatchEndpoint, clientSettings } from './log-sink.js';
import { MetricPeriod, type MetricStatistics } from './metric-statistics.js';

/** The most that one PutMetricData takes, from its API reference. */
const MAX_METRICS = 1000;

export interface MetricSink {
  /** @throws an error of the endpoint */
  put(metrics: readonly MetricStatistics[], time: Date): Promise<void>;
  close(): void;
}

/** Puts metrics to Amazon CloudWatch, or what speaks like it. The SDK is loaded only here. */
export async function openCloudWatchMetrics(
  settings: CloudWatchEndpoint,
  namespace: string,
): Promise<MetricSink> {
  const sdk = await import('@aws-sdk/client-cloudwatch');
  const client = new sdk.CloudWatchClient(clientSettings(settings));
  return {
    async put(metrics, time) {
      for (let first = 0; first < metrics.length; first += MAX_METRICS) {
        const MetricData = metrics.slice(first, first + MAX_METRICS).map((metric) => ({
          MetricName: metric.name,
          Unit: metric.unit,
          Timestamp: time,
          Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
          StatisticValues: {
            SampleCount: metric.count,
            Sum: metric.sum,
            Minimum: metric.least,
            Maximum: metric.most,
          },
        }));
        await client.send(new sdk.PutMetricDataCommand({ Namespace: namespace, MetricData }));
      }
    },
    close: () => client.destroy(),
  };
}

/** Adds up what the service counts of itself, and puts it once in a period. */
export class MetricPutter implements MetricListener {
  private readonly period = new MetricPeriod();
  private putting: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  /** @param jobsByState asked once in a period */
  constructor(
    private readonly sink: MetricSink,
    private readonly jobsByState: () => Promise<ReadonlyMap<string, number>>,
    private readonly periodMs: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.put(), this.periodMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.put();
    this.sink.close();
  }

  /** Puts what was measured since the last time; what the endpoint does not take goes with the next. */
  put(): Promise<void> {
    this.putting = this.putting.then(async () => {
      try {
        for (const [status, jobs] of await this.jobsByState()) {
          this.period.add({ name: 'Jobs', unit: 'Count', dimensions: { Status: status } }, jobs);
        }
      } catch (error) {
        this.logger.warn({ err: error }, 'jobs could not be counted');
      }
      const { rss } = process.memoryUsage();
      this.period.add({ name: 'ServiceMemory', unit: 'Bytes', dimensions: {} }, rss);
      const taken = this.period.take();
      await this.sink.put(taken, new Date()).catch((error: unknown) => {
        this.period.putBack(taken);
        this.logger.warn({ err: error }, 'metrics could not be put');
      });
    });
    return this.putting;
  }

  requestAnswered(protocol: string, httpStatus: number, seconds: number): void {
    const dimensions = { Protocol: protocol };
    this.period.add({ name: 'RequestTime', unit: 'Seconds', dimensions }, seconds);
    const failed = httpStatus >= 500 ? 1 : 0;
    this.period.add({ name: 'RequestErrors', unit: 'Count', dimensions }, failed);
  }

  jobStarted(waitedSeconds: number): void {
    this.period.add({ name: 'QueueWait', unit: 'Seconds', dimensions: {} }, waitedSeconds);
  }

  jobEnded(status: string, ranSeconds: number): void {
    const dimensions = { Status: status };
    this.period.add({ name: 'JobDuration', unit: 'Seconds', dimensions }, ranSeconds);
  }

  sourceStaged(bytes: number): void {
    this.period.add({ name: 'StagedBytes', unit: 'Bytes', dimensions: {} }, bytes);
  }

  resultPublished(bytes: number): void {
    this.period.add({ name: 'PublishedBytes', unit: 'Bytes', dimensions: {} }, bytes);
  }
}
