import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OPTIMIZATION_JOBS_LOG_GROUP } from '../../service-model/cloudwatch-logs-operations.js';
import { ServiceError } from '../../service-model/errors.js';
import type { JobLogs } from '../../telemetry/job-log.js';
import { listLogParts } from '../../telemetry/log-parts.js';
import { logSize } from '../../telemetry/read-log.js';

const LOG_FILE_ENDING = '.log';

/** `<job>/<step>-<technique>`: what a job's name and a step's file can be made of, nothing else. */
const STREAM_NAME = /^[a-zA-Z0-9-]{1,63}\/[0-9]{1,2}-[a-z-]{1,32}$/;

/** @throws ServiceError `ResourceNotFoundException` for any log group but that of the jobs */
export function checkLogGroup(logGroupName: string): void {
  if (logGroupName !== OPTIMIZATION_JOBS_LOG_GROUP) {
    throw new ServiceError(
      'ResourceNotFoundException',
      `The specified log group does not exist. The log group of this service is ${OPTIMIZATION_JOBS_LOG_GROUP}.`,
    );
  }
}

/**
 * The file of a log stream.
 * @throws ServiceError `ResourceNotFoundException`
 */
export async function findLogStream(logs: JobLogs, logStreamName: string): Promise<string> {
  const file = join(logs.root, `${logStreamName}${LOG_FILE_ENDING}`);
  if (!STREAM_NAME.test(logStreamName) || (await logSize(file)) === undefined) {
    throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
  }
  return file;
}

export interface LogStreamInfo {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly modified: number;
}

/** The names of all log streams that begin with a prefix, in order. */
export async function listLogStreams(logs: JobLogs, prefix: string): Promise<readonly string[]> {
  const [job = '', ...rest] = prefix.split('/');
  const jobs = rest.length > 0 ? [job] : await namesIn(logs.root, (name) => name.startsWith(job));
  const streams: string[] = [];
  for (const name of jobs) {
    for (const file of await namesIn(join(logs.root, name), (it) => it.endsWith(LOG_FILE_ENDING))) {
      const stream = `${name}/${file.slice(0, -LOG_FILE_ENDING.length)}`;
      if (stream.startsWith(prefix) && STREAM_NAME.test(stream)) streams.push(stream);
    }
  }
  return streams;
}

/** The size and the times of a log stream. */
export async function describeLogStream(logs: JobLogs, name: string): Promise<LogStreamInfo> {
  const path = join(logs.root, `${name}${LOG_FILE_ENDING}`);
  const { birthtimeMs, mtimeMs } = await stat(path);
  return {
    name,
    bytes: (listLogParts(path) ?? []).reduce((sum, { size }) => sum + size, 0),
    created: Math.round(birthtimeMs),
    modified: Math.round(mtimeMs),
  };
}

async function namesIn(
  folder: string,
  wanted: (name: string) => boolean,
): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter(wanted).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
