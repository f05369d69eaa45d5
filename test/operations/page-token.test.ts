import { describe, expect, it } from 'vitest';
import { filterLogEvents } from '#burnish/operations/cloudwatch-logs/filter-log-events.js';
import { listOptimizationJobs } from '#burnish/operations/list-optimization-jobs.js';
import type { OperationContext } from '#burnish/operations/operation-context.js';
import { isName, readPageToken, writePageToken } from '#burnish/operations/page-token.js';
import { isPositionOf } from '#burnish/store/list-jobs.js';

/** A context that must not be asked for anything. */
const untouched = {} as OperationContext;

const refused = expect.objectContaining({
  code: 'ValidationException',
  message: expect.stringContaining('NextToken is not valid'),
});

describe('a page token', () => {
  it('says where to go on, for the same question alone', () => {
    const token = writePageToken('a', { status: 'FAILED' });
    expect(readPageToken(token, { status: 'FAILED' }, isName)).toBe('a');
    expect(() => readPageToken(token, { status: 'COMPLETED' }, isName)).toThrow(refused);
    expect(() => readPageToken('MQ', {}, isName)).toThrow(refused);
    expect(() => readPageToken('no token', {}, isName)).toThrow(refused);
  });

  it.each([
    null,
    7,
    {},
    { key: 'a' },
    { key: { $: 1 }, name: 'a' },
    { key: 'a\0', name: 'a' },
    { key: 1.5, name: 'a' },
    { key: 'a', name: ['a'] },
  ])('that was made up never reaches the record: %j', async (position) => {
    for (const SortBy of ['Name', 'CreationTime', 'Status'] as const) {
      const NextToken = writePageToken(position, { SortBy });
      await expect(listOptimizationJobs(untouched, { SortBy, NextToken })).rejects.toEqual(refused);
    }
  });

  it('takes the places of each order', () => {
    expect(isPositionOf('CreationTime')({ key: 1_700_000_000_000, name: 'a-1' })).toBe(true);
    expect(isPositionOf('Name')({ key: 'a-1', name: 'a-1' })).toBe(true);
    expect(isPositionOf('Status')({ key: 'INPROGRESS', name: 'a-1' })).toBe(true);
    expect(isPositionOf('Name')({ key: 1, name: 'a-1' })).toBe(false);
  });

  it.each([
    null,
    { stream: 'a' },
    { stream: 'a', offset: -1 },
    { stream: 'a', offset: '0' },
    { stream: 'a', offset: 1e300 },
    { stream: 1, offset: 0 },
  ])('that was made up never reaches a log: %j', async (position) => {
    const logGroupName = '/aws/sagemaker/OptimizationJobs';
    const nextToken = writePageToken(position, { logGroupName });
    await expect(filterLogEvents(untouched, { logGroupName, nextToken })).rejects.toEqual(refused);
  });
});
