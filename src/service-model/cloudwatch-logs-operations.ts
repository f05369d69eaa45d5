/**
 * The part of CloudWatch Logs through which the logs of jobs are read.
 * Source: CloudWatch Logs API reference, version 2014-03-28.
 */
import type { Operation } from './operations.js';
import {
  boolean,
  enumeration,
  integer,
  list,
  number,
  optional,
  required,
  string,
  structure,
} from './shape.js';

export const CLOUDWATCH_LOGS_TARGET_PREFIX = 'Logs_20140328';

/** The log group that SageMaker writes the logs of optimization jobs to. */
export const OPTIMIZATION_JOBS_LOG_GROUP = '/aws/sagemaker/OptimizationJobs';

const LogGroupName = string({ minLength: 1, maxLength: 512, pattern: '[\\.\\-_/#A-Za-z0-9]+' });
const LogStreamName = string({ minLength: 1, maxLength: 512, pattern: '[^:*]*' });
const Token = string({ minLength: 1 });

export const CLOUDWATCH_LOGS_OPERATIONS = {
  DescribeLogGroups: {
    documentation: 'Lists the log groups: there is one, for optimization jobs.',
    input: structure('DescribeLogGroupsRequest', {
      logGroupNamePrefix: optional(LogGroupName, 'Only groups whose name begins with this.'),
      nextToken: optional(Token, 'Where the page before this one ended.'),
      limit: optional(integer({ min: 1, max: 50 }), 'The most groups in one page.'),
    }),
    output: structure('DescribeLogGroupsResponse', {
      logGroups: required(
        list(
          structure('LogGroup', {
            logGroupName: required(LogGroupName, 'The name of the group.'),
            arn: required(string(), 'The ARN of the group.'),
            creationTime: required(number, 'When it was made, in milliseconds.'),
          }),
        ),
        'The groups.',
      ),
    }),
    errors: [],
  },
  DescribeLogStreams: {
    documentation: 'Lists the log streams of a log group: one for each job and step.',
    input: structure('DescribeLogStreamsRequest', {
      logGroupName: required(LogGroupName, 'The name of the log group.'),
      logStreamNamePrefix: optional(
        LogStreamName,
        'Only streams whose name begins with this, for example the name of a job and a slash.',
      ),
      orderBy: optional(enumeration(['LogStreamName', 'LastEventTime']), 'What to sort by.'),
      descending: optional(boolean, 'Whether to sort the other way.'),
      nextToken: optional(Token, 'Where the page before this one ended.'),
      limit: optional(integer({ min: 1, max: 50 }), 'The most streams in one page.'),
    }),
    output: structure('DescribeLogStreamsResponse', {
      logStreams: required(
        list(
          structure('LogStream', {
            logStreamName: required(LogStreamName, 'The name of the stream.'),
            creationTime: required(number, 'When it was made, in milliseconds.'),
            lastEventTimestamp: required(number, 'When it was last written to, in milliseconds.'),
            lastIngestionTime: required(number, 'When it was last written to, in milliseconds.'),
            storedBytes: required(number, 'Its size.'),
          }),
        ),
        'The streams of this page.',
      ),
      nextToken: optional(Token, 'Give it back to get the next page; absent on the last.'),
    }),
    errors: [],
  },
  GetLogEvents: {
    documentation: 'Reads the lines of one log stream, forwards or backwards.',
    input: structure('GetLogEventsRequest', {
      logGroupName: required(LogGroupName, 'The name of the log group.'),
      logStreamName: required(LogStreamName, 'The name of the stream.'),
      startTime: optional(number, 'Only lines from this time on, in milliseconds.'),
      endTime: optional(number, 'Only lines before this time, in milliseconds.'),
      nextToken: optional(Token, 'Where to go on: a token of the last answer.'),
      limit: optional(integer({ min: 1, max: 10_000 }), 'The most lines in one page.'),
      startFromHead: optional(boolean, 'Whether to begin with the oldest lines.'),
    }),
    output: structure('GetLogEventsResponse', {
      events: required(
        list(
          structure('OutputLogEvent', {
            timestamp: required(number, 'When the line was written, in milliseconds.'),
            message: required(string(), 'The line.'),
            ingestionTime: required(number, 'When the line was written, in milliseconds.'),
          }),
        ),
        'The lines, oldest first.',
      ),
      nextForwardToken: required(Token, 'Where newer lines begin; the same when there are none.'),
      nextBackwardToken: required(Token, 'Where older lines end; the same when there are none.'),
    }),
    errors: [],
  },
  FilterLogEvents: {
    documentation: 'Reads the lines of several log streams that fit a pattern.',
    input: structure('FilterLogEventsRequest', {
      logGroupName: required(LogGroupName, 'The name of the log group.'),
      logStreamNames: optional(
        list(LogStreamName, { minLength: 1, maxLength: 100 }),
        'Only these streams.',
      ),
      logStreamNamePrefix: optional(LogStreamName, 'Only streams whose name begins with this.'),
      startTime: optional(number, 'Only lines from this time on, in milliseconds.'),
      endTime: optional(number, 'Only lines before this time, in milliseconds.'),
      filterPattern: optional(
        string({ maxLength: 1024 }),
        'Words that a line must have; -word must be absent, and one of ?word ?word must be there.',
      ),
      nextToken: optional(Token, 'Where the page before this one ended.'),
      limit: optional(integer({ min: 1, max: 10_000 }), 'The most lines in one page.'),
      interleaved: optional(
        boolean,
        'Of no effect, as at AWS: lines of a page are in order of time.',
      ),
    }),
    output: structure('FilterLogEventsResponse', {
      events: required(
        list(
          structure('FilteredLogEvent', {
            logStreamName: required(LogStreamName, 'The stream of the line.'),
            timestamp: required(number, 'When the line was written, in milliseconds.'),
            message: required(string(), 'The line.'),
            ingestionTime: required(number, 'When the line was written, in milliseconds.'),
            eventId: required(string(), 'The same for the same line, always.'),
          }),
        ),
        'The lines of this page.',
      ),
      nextToken: optional(Token, 'Give it back to get the next page; absent on the last.'),
    }),
    errors: [],
  },
} as const satisfies Record<string, Operation>;
