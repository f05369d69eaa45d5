import type { CLOUDWATCH_LOGS_OPERATIONS } from '../../service-model/cloudwatch-logs-operations.js';
import { validationError } from '../../service-model/errors.js';
import type { Infer } from '../../service-model/shape.js';
import { logSize, readLogBackward, readLogForward } from '../../telemetry/read-log.js';
import type { OperationContext } from '../operation-context.js';
import { checkLogGroup, findLogStream } from './log-streams.js';

type Definition = (typeof CLOUDWATCH_LOGS_OPERATIONS)['GetLogEvents'];

/** Lines of one page when the caller doesn't say; the API's default. */
const DEFAULT_PAGE = 10_000;

/** `f/` goes on to newer lines, `b/` to older ones, from a byte of the log's file. */
const TOKEN = /^([fb])\/(\d{1,15})$/;

/**
 * A page of one stream, from the end backwards unless `startFromHead` says otherwise.
 * @throws ServiceError ResourceNotFoundException for another group or an unknown stream
 */
export async function getLogEvents(
  context: OperationContext,
  input: Infer<Definition['input']>,
): Promise<Infer<Definition['output']>> {
  checkLogGroup(input.logGroupName);
  const file = await findLogStream(context.logs, input.logStreamName);
  const size = (await logSize(file)) ?? 0;
  const { forward, offset } = startOf(input, size);
  const limit = input.limit ?? DEFAULT_PAGE;
  const page = forward
    ? await readLogForward(file, offset, limit)
    : await readLogBackward(file, offset, limit);
  const { startTime = Number.NEGATIVE_INFINITY, endTime = Number.POSITIVE_INFINITY } = input;
  return {
    events: page.lines
      .filter(({ time }) => time >= startTime && time < endTime)
      .map(({ time, text }) => ({ timestamp: time, message: text, ingestionTime: time })),
    nextForwardToken: `f/${page.end}`,
    nextBackwardToken: `b/${page.start}`,
  };
}

function startOf(
  input: Infer<Definition['input']>,
  size: number,
): { readonly forward: boolean; readonly offset: number } {
  if (input.nextToken === undefined) {
    const forward = input.startFromHead === true;
    return { forward, offset: forward ? 0 : size };
  }
  const token = TOKEN.exec(input.nextToken);
  if (token === null) {
    throw validationError('The nextToken is not valid. Give back a token of the last answer.');
  }
  return { forward: token[1] === 'f', offset: Math.min(Number(token[2]), size) };
}
