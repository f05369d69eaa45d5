import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** One event as it was taken. */
export interface TakenEvent {
  readonly timestamp: number;
  readonly message: string;
}

export interface TakenMetric {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly most: number;
}

export interface CloudWatchStandIn {
  readonly url: string;
  readonly groups: ReadonlySet<string>;
  /** Events by `group stream`, in the order in which they came. */
  readonly events: ReadonlyMap<string, TakenEvent[]>;
  readonly metrics: readonly TakenMetric[];
  /** Requests by operation, and how they were answered. */
  readonly requests: Readonly<Record<string, number>>;
  /** Answers this many of the next requests with an error; without end for Infinity. */
  failing: number;
  close(): void;
}

/** Whatever the SDK sends. */
type Body = Readonly<Record<string, unknown>>;

/**
 * As much of CloudWatch Logs and CloudWatch as putting to them needs, held to their documented limits:
 * what breaks one is refused, as there.
 */
export async function startCloudWatchStandIn(): Promise<CloudWatchStandIn> {
  const groups = new Set<string>();
  const events = new Map<string, TakenEvent[]>();
  const metrics: TakenMetric[] = [];
  const requests: Record<string, number> = {};
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) =>
      refuse(response, 400, 'InvalidParameterException', String(error)),
    );
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    const body = JSON.parse(text.toString('utf8')) as Body;
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    if (standIn.failing > 0) {
      standIn.failing -= 1;
      count(`${operation} failed`);
      refuse(response, 503, 'ServiceUnavailableException', 'on purpose');
      return;
    }
    count(operation);
    const group = String(body.logGroupName);
    const stream = `${group} ${body.logStreamName}`;
    switch (operation) {
      case 'CreateLogGroup':
        if (groups.has(group)) refuse(response, 400, 'ResourceAlreadyExistsException', group);
        else groups.add(group);
        break;
      case 'CreateLogStream':
        if (!groups.has(group)) refuse(response, 400, 'ResourceNotFoundException', group);
        else if (events.has(stream)) {
          refuse(response, 400, 'ResourceAlreadyExistsException', stream);
        } else events.set(stream, []);
        break;
      case 'PutLogEvents': {
        const taken = events.get(stream);
        if (taken === undefined) refuse(response, 400, 'ResourceNotFoundException', stream);
        else taken.push(...checkedEvents(body.logEvents as TakenEvent[]));
        break;
      }
      case 'PutMetricData':
        metrics.push(...readMetrics(body));
        break;
      default:
        throw new Error(`no such operation: ${operation}`);
    }
    if (response.writableEnded) return;
    response.writeHead(200, { 'Content-Type': request.headers['content-type'] }).end('{}');
  }

  function count(what: string): void {
    requests[what] = (requests[what] ?? 0) + 1;
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const standIn: CloudWatchStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    groups,
    events,
    metrics,
    requests,
    failing: 0,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return standIn;
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' })
    .end(JSON.stringify({ __type: code, message }));
}

/** The limits of PutLogEvents in its API reference. */
function checkedEvents(batch: readonly TakenEvent[]): readonly TakenEvent[] {
  const bytes = batch.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0);
  const times = batch.map(({ timestamp }) => timestamp);
  const span = Math.max(...times) - Math.min(...times);
  if (batch.length < 1 || batch.length > 10_000) throw new Error(`${batch.length} events`);
  if (bytes > 1_048_576) throw new Error(`${bytes} bytes`);
  if (span > 24 * 3600 * 1000) throw new Error(`a span of ${span} ms`);
  if (batch.some(({ message }) => message.length === 0)) throw new Error('an empty message');
  if (times.some((time, index) => time < (times[index - 1] ?? 0))) throw new Error('out of order');
  return batch;
}

function readMetrics({ Namespace, MetricData }: Body): readonly TakenMetric[] {
  const data = MetricData as readonly {
    readonly MetricName: string;
    readonly Unit: string;
    readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
    readonly StatisticValues: Readonly<Record<string, number>>;
  }[];
  if (data.length > 1000) throw new Error(`${data.length} metrics`);
  return data.map((metric) => ({
    namespace: String(Namespace),
    name: metric.MetricName,
    unit: metric.Unit,
    dimensions: Object.fromEntries(metric.Dimensions.map(({ Name, Value }) => [Name, Value])),
    count: metric.StatisticValues.SampleCount ?? Number.NaN,
    sum: metric.StatisticValues.Sum ?? Number.NaN,
    least: metric.StatisticValues.Minimum ?? Number.NaN,
    most: metric.StatisticValues.Maximum ?? Number.NaN,
  }));
}
