import type { CLOUDWATCH_LOGS_OPERATIONS } from '../../service-model/cloudwatch-logs-operations.js';
import { validationError } from '../../service-model/errors.js';
import type { Infer } from '../../service-model/shape.js';
import { type LogLine, readLogForward } from '../../telemetry/read-log.js';
import type { OperationContext } from '../operation-context.js';
import { readPageToken, writePageToken } from '../page-token.js';
import { parseFilterPattern } from './filter-pattern.js';
import { checkLogGroup, describeLogStream, findLogStream, listLogStreams } from './log-streams.js';

type Definition = (typeof CLOUDWATCH_LOGS_OPERATIONS)['FilterLogEvents'];
type Input = Infer<Definition['input']>;
type FilteredLogEvent = Infer<Definition['output']>['events'][number];

/** Lines of one page when the caller doesn't say; the API's default. */
const DEFAULT_PAGE = 10_000;

/** Pages of log files that one call reads before it hands out a token, found lines or not. */
const MAX_READS = 64;

/** Where to go on: behind the streams before this one, from a byte of its file. */
interface Position {
  readonly stream: string;
  readonly offset: number;
}

/**
 * Lines of several streams that fit a time and a pattern. A page may be empty and still have a next one.
 * @throws ServiceError ResourceNotFoundException for another group or an unknown stream
 */
export async function filterLogEvents(
  context: OperationContext,
  input: Input,
): Promise<Infer<Definition['output']>> {
  checkLogGroup(input.logGroupName);
  const { nextToken, limit = DEFAULT_PAGE, interleaved: _, ...question } = input;
  let position: Position =
    nextToken === undefined
      ? { stream: '', offset: 0 }
      : readPageToken(nextToken, question, isPosition);
  const isWanted = lineFilter(input);
  const events: FilteredLogEvent[] = [];
  let reads = 0;
  for (const stream of await chooseStreams(context, input)) {
    if (stream < position.stream) continue;
    if (stream !== position.stream) position = { stream, offset: 0 };
    const file = await findLogStream(context.logs, stream);
    for (;;) {
      if (events.length >= limit || reads >= MAX_READS) {
        return { events: inOrder(events), nextToken: writePageToken(position, question) };
      }
      const page = await readLogForward(file, position.offset, limit - events.length);
      reads += 1;
      if (page.lines.length === 0) break;
      position = { stream, offset: page.end };
      events.push(...page.lines.filter(isWanted).map((line) => eventOf(stream, line)));
    }
  }
  return { events: inOrder(events) };
}

function isPosition(position: unknown): position is Position {
  const { stream, offset } = (position ?? {}) as Partial<Record<keyof Position, unknown>>;
  return typeof stream === 'string' && Number.isSafeInteger(offset) && Number(offset) >= 0;
}

async function chooseStreams(
  { logs }: OperationContext,
  { logStreamNames, logStreamNamePrefix, startTime = 0 }: Input,
): Promise<readonly string[]> {
  if (logStreamNames !== undefined) {
    if (logStreamNamePrefix !== undefined) {
      throw validationError('Give logStreamNames or logStreamNamePrefix, not both.');
    }
    return [...new Set(logStreamNames)].sort();
  }
  const recent: string[] = [];
  for (const name of await listLogStreams(logs, logStreamNamePrefix ?? '')) {
    // A file that was last written to before the time has nothing from it on.
    if ((await describeLogStream(logs, name)).modified >= startTime) recent.push(name);
  }
  return recent.sort();
}

function lineFilter({
  startTime = Number.NEGATIVE_INFINITY,
  endTime = Number.POSITIVE_INFINITY,
  filterPattern = '',
}: Input): (line: LogLine) => boolean {
  const fits = parseFilterPattern(filterPattern);
  return ({ time, text }) => time >= startTime && time < endTime && fits(text);
}

const eventOf = (stream: string, { offset, time, text }: LogLine): FilteredLogEvent => ({
  logStreamName: stream,
  timestamp: time,
  message: text,
  ingestionTime: time,
  eventId: `${stream}@${offset}`,
});

const inOrder = (events: readonly FilteredLogEvent[]) =>
  events.toSorted((a, b) => a.timestamp - b.timestamp);
