import {
  type Infer,
  list,
  number,
  optional,
  string,
  structure,
} from '../../service-model/shape.js';
import type { Client } from '../client/client.js';
import type { Output } from '../terminal/open-output.js';
import { readAnswer } from './read-answer.js';
import { jobHasEnded, pause } from './wait-for-job.js';

const LOG_GROUP = '/aws/sagemaker/OptimizationJobs';
const TARGET_PREFIX = 'Logs_20140328';

/** How long to leave a running job alone before asking for what it has added. */
const FOLLOW_MS = 1000;

/** The parts of CloudWatch Logs' answers that are used. Source: its API reference, 2014-03-28. */
const LogStreams = structure('DescribeLogStreamsResponse', {
  logStreams: optional(
    list(structure('LogStream', { logStreamName: optional(string(), 'The name.') })),
    'The streams of this page.',
  ),
  nextToken: optional(string(), 'Where the next page is.'),
});

const LogEvents = structure('GetLogEventsResponse', {
  events: optional(
    list(
      structure('OutputLogEvent', {
        timestamp: optional(number, 'Milliseconds since the epoch.'),
        message: optional(string(), 'The line.'),
      }),
    ),
    'The events of this page.',
  ),
  nextForwardToken: optional(string(), 'The same as was given where there is no more.'),
});

type LogEvent = NonNullable<Infer<typeof LogEvents>['events']>[number];

/**
 * Writes the log of a job, a line for each event with its time; a job of several steps has a log
 * stream for each, and then the line says which.
 *
 * @param follow whether to go on until the job has ended and its last line is written.
 * @throws ServiceResponseError where there is no such job, InterruptedError where the signal fires.
 */
export async function showLogs(
  client: Client,
  jobName: string,
  follow: boolean,
  output: Pick<Output, 'write'>,
  signal: AbortSignal,
): Promise<void> {
  const log = new JobLog(client, jobName, signal);
  for (;;) {
    // Asked before reading: what a job wrote before its end is there when the end is known.
    const ended = follow && (await jobHasEnded(client, jobName, signal));
    for await (const line of log.newLines()) {
      if (!(await output.write(line))) return;
    }
    if (!follow || ended) break;
    await pause(FOLLOW_MS, signal);
  }
  // An empty log is that of a job that has not begun, or of none at all, which is an error.
  if (log.isEmpty) await jobHasEnded(client, jobName, signal);
}

class JobLog {
  /** Where to go on in each stream. */
  private readonly positions = new Map<string, string | undefined>();

  constructor(
    private readonly client: Client,
    private readonly jobName: string,
    private readonly signal: AbortSignal,
  ) {}

  get isEmpty(): boolean {
    return this.positions.size === 0;
  }

  /** What was added since the last call. */
  async *newLines(): AsyncGenerator<string> {
    const streams = await this.streams();
    for (const stream of streams) {
      const prefix = streams.length > 1 ? `[${stream.slice(this.jobName.length + 1)}] ` : '';
      for await (const { timestamp, message } of this.newEvents(stream)) {
        const time = new Date(timestamp ?? 0).toISOString();
        yield `${time} ${prefix}${(message ?? '').trimEnd()}\n`;
      }
    }
  }

  private async *newEvents(stream: string): AsyncGenerator<LogEvent> {
    for (;;) {
      const position = this.positions.get(stream);
      const answer = await this.client.send(
        `${TARGET_PREFIX}.GetLogEvents`,
        {
          logGroupName: LOG_GROUP,
          logStreamName: stream,
          startFromHead: true,
          ...(position === undefined ? {} : { nextToken: position }),
        },
        { signal: this.signal },
      );
      const { events, nextForwardToken } = readAnswer(LogEvents, answer);
      yield* events ?? [];
      this.positions.set(stream, nextForwardToken);
      if (nextForwardToken === undefined || nextForwardToken === position) return;
    }
  }

  /** The streams of the job in the order of its steps. */
  private async streams(): Promise<readonly string[]> {
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const answer = await this.client.send(
        `${TARGET_PREFIX}.DescribeLogStreams`,
        {
          logGroupName: LOG_GROUP,
          logStreamNamePrefix: `${this.jobName}/`,
          ...(nextToken === undefined ? {} : { nextToken }),
        },
        { signal: this.signal },
      );
      const page = readAnswer(LogStreams, answer);
      for (const { logStreamName } of page.logStreams ?? []) {
        if (logStreamName !== undefined) names.push(logStreamName);
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  }
}
