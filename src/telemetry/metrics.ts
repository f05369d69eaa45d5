import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** From a second to a day, in steps that a person thinks in. */
const DURATION_BUCKETS = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

const REQUEST_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];

/** Is told what happens in the service. */
export interface MetricListener {
  requestAnswered(protocol: 'json' | 's3', httpStatus: number, seconds: number): void;
  jobStarted(waitedSeconds: number): void;
  jobEnded(status: string, ranSeconds: number): void;
  sourceStaged(bytes: number): void;
  resultPublished(bytes: number): void;
}

/** What the service counts of itself, in Prometheus' text format. */
export interface Metrics extends MetricListener {
  /** Tells another one too what happens from now on. */
  listen(listener: MetricListener): void;
  /** Shows what running jobs have of the machine, and what there is. */
  showResources(ask: () => { readonly given: MachinePart; readonly capacity: MachinePart }): void;
  /** The page that a scraper reads, and its content type. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Cores and memory. */
export interface MachinePart {
  readonly cores: number;
  readonly memoryBytes: number;
}

/** @param jobsByState asked at every scrape */
export function createMetrics(jobsByState: () => Promise<ReadonlyMap<string, number>>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'burnish_' });
  new Gauge({
    name: 'burnish_jobs',
    help: 'Optimization jobs in the record, by state.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const [status, count] of await jobsByState()) this.set({ status }, count);
    },
  });
  const listeners: MetricListener[] = [countIn(registry)];
  const tell = (act: (listener: MetricListener) => void) => listeners.forEach(act);
  return {
    requestAnswered: (...facts) => tell((listener) => listener.requestAnswered(...facts)),
    jobStarted: (seconds) => tell((listener) => listener.jobStarted(seconds)),
    jobEnded: (status, seconds) => tell((listener) => listener.jobEnded(status, seconds)),
    sourceStaged: (bytes) => tell((listener) => listener.sourceStaged(bytes)),
    resultPublished: (bytes) => tell((listener) => listener.resultPublished(bytes)),
    listen: (listener) => listeners.push(listener),
    showResources: (ask) => showResources(registry, ask),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

/** Counts what happens in metrics of the registry. */
function countIn(registry: Registry): MetricListener {
  const registers = [registry];
  const requests = new Histogram({
    name: 'burnish_request_duration_seconds',
    help: 'Time to answer a request, by protocol and HTTP status.',
    labelNames: ['protocol', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
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
  const staged = new Counter({
    name: 'burnish_staged_bytes_total',
    help: 'Bytes of the sources that were staged.',
    registers,
  });
  const errors = new Counter({
    name: 'burnish_errors_total',
    help: 'Requests answered with 500 or above, and jobs that ended as FAILED.',
    labelNames: ['what'],
    registers,
  });
  for (const what of ['request', 'job']) errors.inc({ what }, 0);
  return {
    requestAnswered(protocol, status, seconds) {
      requests.observe({ protocol, status }, seconds);
      if (status >= 500) errors.inc({ what: 'request' });
    },
    jobStarted: (seconds) => waits.observe(seconds),
    jobEnded(status, seconds) {
      durations.observe({ status }, seconds);
      if (status === 'FAILED') errors.inc({ what: 'job' });
    },
    sourceStaged: (bytes) => staged.inc(bytes),
    resultPublished: (bytes) => published.inc(bytes),
  };
}

function showResources(registry: Registry, ask: Parameters<Metrics['showResources']>[0]): void {
  for (const [part, unit, help] of [
    ['cores', 'cores', 'Cores'],
    ['memoryBytes', 'memory_bytes', 'Memory'],
  ] as const) {
    new Gauge({
      name: `burnish_job_${unit}`,
      help: `${help} that running jobs were given, and that there is for jobs.`,
      labelNames: ['of'],
      registers: [registry],
      collect() {
        const { given, capacity } = ask();
        this.set({ of: 'given' }, given[part]);
        this.set({ of: 'capacity' }, capacity[part]);
      },
    });
  }
}
