/** A measurement that CloudWatch keeps: what it is of, in which unit, of which kind. */
export interface MetricName {
  readonly name: string;
  readonly unit: 'Seconds' | 'Bytes' | 'Count';
  readonly dimensions: Readonly<Record<string, string>>;
}

/** All values of one metric in a period, as PutMetricData takes them. */
export interface MetricStatistics extends MetricName {
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly most: number;
}

/** Adds up what is measured until it is put. */
export class MetricPeriod {
  private metrics = new Map<string, MetricStatistics>();

  add(metric: MetricName, value: number): void {
    this.merge({ ...metric, count: 1, sum: value, least: value, most: value });
  }

  /** Takes everything out. */
  take(): readonly MetricStatistics[] {
    const taken = [...this.metrics.values()];
    this.metrics = new Map();
    return taken;
  }

  /** Puts back what could not be put, to go with the next period. */
  putBack(statistics: readonly MetricStatistics[]): void {
    for (const metric of statistics) this.merge(metric);
  }

  private merge(metric: MetricStatistics): void {
    const key = JSON.stringify([metric.name, Object.entries(metric.dimensions).sort()]);
    const before = this.metrics.get(key);
    this.metrics.set(
      key,
      before === undefined
        ? metric
        : {
            ...metric,
            count: before.count + metric.count,
            sum: before.sum + metric.sum,
            least: Math.min(before.least, metric.least),
            most: Math.max(before.most, metric.most),
          },
    );
  }
}
