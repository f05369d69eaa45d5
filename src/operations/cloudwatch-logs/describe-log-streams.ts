import type { CLOUDWATCH_LOGS_OPERATIONS } from '../../service-model/cloudwatch-logs-operations.js';
import { validationError } from '../../service-model/errors.js';
import type { Infer } from '../../service-model/shape.js';
import type { OperationContext } from '../operation-context.js';
import { isName, readPageToken, writePageToken } from '../page-token.js';
import { checkLogGroup, describeLogStream, listLogStreams } from './log-streams.js';

type Definition = (typeof CLOUDWATCH_LOGS_OPERATIONS)['DescribeLogStreams'];

/** Streams of one page when the caller doesn't say; the API's default. */
const DEFAULT_PAGE = 50;

/** The streams of jobs by name. @throws ServiceError ResourceNotFoundException for another group */
export async function describeLogStreams(
  context: OperationContext,
  input: Infer<Definition['input']>,
): Promise<Infer<Definition['output']>> {
  checkLogGroup(input.logGroupName);
  if (input.orderBy === 'LastEventTime') {
    throw validationError('orderBy LastEventTime is not supported; order by LogStreamName.');
  }
  const { nextToken, limit = DEFAULT_PAGE, ...question } = input;
  const names = [...(await listLogStreams(context.logs, input.logStreamNamePrefix ?? ''))];
  if (input.descending === true) names.reverse();
  const from =
    nextToken === undefined ? 0 : names.indexOf(readPageToken(nextToken, question, isName)) + 1;
  const page = names.slice(from, from + limit);
  const last = page.at(-1);
  const streams = await Promise.all(page.map((name) => describeLogStream(context.logs, name)));
  return {
    logStreams: streams.map(({ name, bytes, created, modified }) => ({
      logStreamName: name,
      creationTime: created,
      lastEventTimestamp: modified,
      lastIngestionTime: modified,
      storedBytes: bytes,
    })),
    nextToken:
      last !== undefined && from + limit < names.length
        ? writePageToken(last, question)
        : undefined,
  };
}
