import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningService, startTestService } from '../support/running-service.js';
import { signedFetch } from '../support/signed-fetch.js';

const GROUP = '/aws/sagemaker/OptimizationJobs';

let service: RunningService;

beforeAll(async () => {
  service = await startTestService();
  const write = async (job: string, file: string, lines: readonly string[]) => {
    await mkdir(join(service.dataDir, 'logs', job), { recursive: true });
    await writeFile(join(service.dataDir, 'logs', job, file), `${lines.join('\n')}\n`);
  };
  const line = (second: number, text: string) =>
    `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z ${text}`;
  await write('alpha', '1-quantization.log', [line(1, 'one'), line(3, 'three'), '  more']);
  await write('alpha', '2-sharding.log', [line(2, 'two')]);
  await write('beta', '1-quantization.log', [line(4, 'four')]);
});

afterAll(() => service.close());

/** The members of the four operations' answers that are looked at here. */
interface Answer {
  readonly __type?: string;
  readonly logGroups: readonly { readonly logGroupName: string }[];
  readonly logStreams: readonly { readonly logStreamName: string }[];
  readonly events: readonly { message: string; timestamp: number; eventId: string }[];
  readonly nextToken?: string;
  readonly nextForwardToken: string;
}

async function call(operation: string, input: unknown): Promise<Answer> {
  const response = await signedFetch(service, {
    headers: { 'x-amz-target': `Logs_20140328.${operation}` },
    body: JSON.stringify(input),
  });
  return (await response.json()) as Answer;
}

describe('CloudWatch Logs’ API', () => {
  it('lists the group and its streams, in pages', async () => {
    const { logGroups } = await call('DescribeLogGroups', { logGroupNamePrefix: '/aws' });
    expect(logGroups).toMatchObject([{ logGroupName: GROUP }]);
    expect((await call('DescribeLogGroups', { logGroupNamePrefix: '/other' })).logGroups).toEqual(
      [],
    );
    const first = await call('DescribeLogStreams', { logGroupName: GROUP, limit: 2 });
    const second = await call('DescribeLogStreams', {
      logGroupName: GROUP,
      limit: 2,
      nextToken: first.nextToken,
    });
    expect(
      [...first.logStreams, ...second.logStreams].map((stream) => stream.logStreamName),
    ).toEqual(['alpha/1-quantization', 'alpha/2-sharding', 'beta/1-quantization']);
    expect(second.nextToken).toBeUndefined();
  });

  it('reads a stream forwards and backwards', async () => {
    const stream = { logGroupName: GROUP, logStreamName: 'alpha/1-quantization' };
    const head = await call('GetLogEvents', { ...stream, startFromHead: true, limit: 2 });
    expect(head.events.map((event) => event.message)).toEqual(['one', 'three']);
    expect(head.events[0]?.timestamp).toBe(Date.UTC(2026, 0, 1, 0, 0, 1));
    const next = await call('GetLogEvents', { ...stream, nextToken: head.nextForwardToken });
    expect(next.events.map((event) => event.message)).toEqual(['  more']);
    const end = await call('GetLogEvents', { ...stream, nextToken: next.nextForwardToken });
    expect(end.events).toEqual([]);
    expect(end.nextForwardToken).toBe(next.nextForwardToken);
    const tail = await call('GetLogEvents', { ...stream, limit: 1 });
    expect(tail.events.map((event) => event.message)).toEqual(['  more']);
  });

  it('finds lines over streams, in order of time, once each over pages', async () => {
    const query = { logGroupName: GROUP, logStreamNamePrefix: 'alpha/' };
    const all = await call('FilterLogEvents', query);
    expect(all.events.map((event) => event.message)).toEqual(['one', 'two', 'three', '  more']);
    const ids: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await call('FilterLogEvents', { ...query, limit: 1, nextToken });
      ids.push(...page.events.map((event) => event.eventId));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(ids.sort()).toEqual(all.events.map((event) => event.eventId).sort());
    const some = await call('FilterLogEvents', {
      logGroupName: GROUP,
      filterPattern: '?two ?four',
      startTime: Date.UTC(2026, 0, 1, 0, 0, 3),
    });
    expect(some.events).toMatchObject([{ logStreamName: 'beta/1-quantization', message: 'four' }]);
  });

  it.each([
    ['another group', 'GetLogEvents', { logGroupName: '/other', logStreamName: 'a' }],
    ['no such stream', 'GetLogEvents', { logGroupName: GROUP, logStreamName: 'no/1-such' }],
    [
      'a path out of the logs',
      'GetLogEvents',
      { logGroupName: GROUP, logStreamName: '../../credentials' },
    ],
  ])('refuses %s', async (_, operation, input) => {
    expect((await call(operation, input)).__type).toBe('ResourceNotFoundException');
  });
});
