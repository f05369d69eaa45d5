import { describe, expect, it } from 'vitest';
import type { Client } from '#burnish/cli/client/client.js';
import { ServiceResponseError } from '#burnish/cli/client/errors.js';
import { showLogs } from '#burnish/cli/commands/show-logs.js';
import { describedJob } from './described-job.js';

/** A service with the log streams of one job; `states` are what Describe answers, in turn. */
function service(
  streams: Map<string, string[]>,
  states: readonly string[],
  beforeDescribe = () => {},
) {
  let described = 0;
  const client: Client = {
    async send(target, input) {
      const { nextToken, logStreamName } = input as Record<string, string | undefined>;
      switch (target) {
        case 'DescribeOptimizationJob': {
          beforeDescribe();
          const state = states[Math.min(described++, states.length - 1)];
          if (state === undefined) {
            throw new ServiceResponseError('ResourceNotFound', 'no such job', target, 400);
          }
          return describedJob(state);
        }
        case 'Logs_20140328.DescribeLogStreams': {
          expect(input).toMatchObject({
            logGroupName: '/aws/sagemaker/OptimizationJobs',
            logStreamNamePrefix: 'job/',
          });
          const names = [...streams.keys()];
          const at = Number(nextToken ?? 0);
          return {
            logStreams: names.slice(at, at + 1).map((name) => ({ logStreamName: name })),
            ...(at + 1 < names.length ? { nextToken: String(at + 1) } : {}),
          };
        }
        case 'Logs_20140328.GetLogEvents': {
          const lines = streams.get(logStreamName ?? '') ?? [];
          const at = Number(nextToken?.slice(2) ?? 0);
          const page = lines.slice(at, at + 2);
          return {
            events: page.map((message, index) => ({ timestamp: at + index, message })),
            nextForwardToken: `f/${at + page.length}`,
          };
        }
        default:
          throw new Error(`unexpected ${target}`);
      }
    },
    close() {},
  };
  return client;
}

async function logOf(client: Client, follow: boolean) {
  const lines: string[] = [];
  const write = async (line: string) => lines.push(line) > 0;
  await showLogs(client, 'job', follow, { write }, new AbortController().signal);
  return lines;
}

describe('the log of a job', () => {
  it('has every line with its time', async () => {
    const client = service(new Map([['job/1-quantization', ['a\n', 'b', 'c']]]), []);
    expect(await logOf(client, false)).toEqual([
      '1970-01-01T00:00:00.000Z a\n',
      '1970-01-01T00:00:00.001Z b\n',
      '1970-01-01T00:00:00.002Z c\n',
    ]);
  });

  it('names the steps, in their order', async () => {
    const streams = new Map(
      ['10-sharding', '2-quantization'].map((step) => [`job/${step}`, [step]]),
    );
    expect(await logOf(service(streams, []), false)).toEqual([
      '1970-01-01T00:00:00.000Z [2-quantization] 2-quantization\n',
      '1970-01-01T00:00:00.000Z [10-sharding] 10-sharding\n',
    ]);
  });

  it('is followed until the job has ended, its last words included', async () => {
    const lines = ['first'];
    const streams = new Map([['job/1-quantization', lines]]);
    let described = 0;
    const client = service(streams, ['INPROGRESS', 'INPROGRESS', 'COMPLETED'], () => {
      described++;
      if (described > 1) lines.push(`line ${described}`);
    });
    expect((await logOf(client, true)).map((line) => line.slice(25))).toEqual([
      'first\n',
      'line 2\n',
      'line 3\n',
    ]);
  });

  it('is empty for a job that has not begun, and an error for one that is none', async () => {
    expect(await logOf(service(new Map(), ['STARTING']), false)).toEqual([]);
    await expect(logOf(service(new Map(), []), false)).rejects.toThrow('(ResourceNotFound)');
  });

  it('is not read further when nobody reads what is written', async () => {
    const client = service(new Map([['job/1-quantization', ['a', 'b', 'c']]]), ['INPROGRESS']);
    const lines: string[] = [];
    const write = async (line: string) => lines.push(line) < 2;
    await showLogs(client, 'job', true, { write }, new AbortController().signal);
    expect(lines).toHaveLength(2);
  });
});
