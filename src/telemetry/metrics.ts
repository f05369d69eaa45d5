import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** From a second to a day, in steps that a person thinks in. */
const DURATION_BUCKETS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

const REQUEST_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];

/** What the service counts of itself, in Prometheus' text format. */
export interface Metrics {
  requestAnswered(protocol: 'json' | 's3', httpStatus: number, seconds: number): void;
  jobStarted(waitedSeconds: number): void;
  jobEnded(status: string, ranSeconds: number): void;
  resultPublished(bytes: number): void;
  /** The page that a scraper reads, and its content type. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** @param jobsByState asked at every scrape */
export function createMetrics(jobsByState: () => Promise<ReadonlyMap<string, number>>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'burnish_' });
  const requests = new Histogram({
    name: 'burnish_request_duration_seconds',
    help: 'Time to answer a request, by protocol and HTTP status.',
    labelNames: ['protocol', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  new Gauge({
    name: 'burnish_jobs',
    help: 'Optimization jobs in the record, by state.',
    labelNames: ['status'],
    registers,
    async collect() {
      this.reset();
      for (const [status, count] of await jobsByState()) this.set({ status }, count);
    },
  });
  const waits = new Histogram({
    name: 'burnish_job_queue_wait_seconds',
    help: 'Time from the creation of a job to its start.',
    buckets: DURATION_BUCKETS,
    registers,
  });
  const durations = new Histogram({
    name: 'burnish_job_duration_seconds',
    help: 'Time from the start of a job to its end, by the state that it ended in.',
    labelNames: ['status'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const published = new Counter({
    name: 'burnish_published_bytes_total',
    help: 'Bytes of the results that were published.',
    registers,
  });
  return {
    requestAnswered: (protocol, status, seconds) => requests.observe({ protocol, status }, seconds),
    jobStarted: (seconds) => waits.observe(seconds),
    jobEnded: (status, seconds) => durations.observe({ status }, seconds),
    resultPublished: (bytes) => published.inc(bytes),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
