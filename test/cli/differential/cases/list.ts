/** list-optimization-jobs and list-tags: filters, times and pages. */
import { type Answer, type Case, list } from '../case.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');

const jobs = (from: number, count: number, nextToken?: string): Answer => ({
  body: {
    OptimizationJobSummaries: Array.from({ length: count }, (_, index) => ({
      OptimizationJobName: `job-${from + index}`,
      OptimizationJobArn: `arn:aws:sagemaker:us-east-1:123456789012:optimization-job/job-${from + index}`,
      CreationTime: 1_700_000_000 + from + index,
      OptimizationJobStatus: 'COMPLETED',
      DeploymentInstanceType: 'ml.g5.xlarge',
      OptimizationTypes: ['Quantization'],
    })),
    ...(nextToken === undefined ? {} : { NextToken: nextToken }),
  },
});

const PAGES = [jobs(1, 2, 'token-1'), jobs(3, 2, 'token-2'), jobs(5, 1)];
const inPages = (...args: readonly string[]): Case => ({ ...list(...args), answers: PAGES });

const FILTERS: readonly Case[] = [
  list(),
  list('--name-contains', 'a', '--status-equals', 'COMPLETED', '--sort-by', 'Name'),
  list('--sort-order', 'Descending', '--optimization-contains', 'Quant'),
  list('--status-equals', 'completed'),
  list('--name-contains='),
  list('--name-contains', 'a', '--name-contains', 'b'),
  list('--name-c', 'a'),
  list('--name-contains=--x'),
  list('--name-contains', '-5'),
  list('--name-contains', '-x y'),
  list('--name-contains', '-'),
  list('--name-contains', '--x'),
  list('--name-contains', '-x'),
  list('--name-contains'),
];

const TIMES: readonly Case[] = [
  '2024-01-02T03:04:05Z',
  '2024-01-02T03:04:05',
  '2024-01-02T03:04:05.678+02:00',
  '2024-01-02T03:04:05-0530',
  '2024-01-02 03:04',
  '2024-01-02',
  '20240102T030405Z',
  '2024/01/02',
  'Tue, 02 Jan 2024 03:04:05 GMT',
  'Tue, 2 Jan 2024 03:04:05 +0100',
  '2 January 2024',
  'Jan 2, 2024 03:04',
  '2024',
  '0',
  '-1.5',
  '1.7e9',
  '1700000000.9',
  'yesterday',
  '2024-13-01',
  '2024-02-30',
  '2024-01-02T25:00:00Z',
  '1e12',
  '',
].map((time) => list('--creation-time-after', time));

const PAGING: readonly Case[] = [
  inPages(),
  inPages('--page-size', '2'),
  inPages('--max-items', '1'),
  inPages('--max-items', '2'),
  inPages('--max-items', '3'),
  inPages('--max-items', '5'),
  inPages('--max-items', '100'),
  inPages('--max-items', '0'),
  inPages('--max-items', '-1'),
  inPages('--starting-token', base64('{"NextToken": null, "boto_truncate_amount": 1}')),
  inPages(
    '--starting-token',
    base64('{"NextToken": "t", "boto_truncate_amount": 1}'),
    '--max-items',
    '1',
  ),
  inPages('--starting-token', base64('{"NextToken": "t"}')),
  inPages('--starting-token', base64('{"Other": "t"}')),
  inPages('--starting-token', 'opaque'),
  inPages('--starting-token', 'opaque___1'),
  inPages('--starting-token', 'None___1'),
  inPages('--starting-token', 'a___b___c'),
  inPages('--starting-token', 'file://name.txt'),
  inPages('--no-paginate'),
  inPages('--no-paginate', '--max-items', '1'),
  inPages('--no-paginate', '--page-size', '1', '--starting-token', 't'),
  inPages('--no-paginate', '--max-items', '0'),
  inPages('--max-results', '2'),
  inPages('--next-token', 't'),
  inPages('--max-results', '2', '--max-items', '1'),
  inPages('--max-results', 'two'),
  inPages('--page-size', 'two'),
  inPages('--page-size', '0'),
  inPages('--max-items', '1.5'),
  { ...inPages('--max-items', '1'), before: ['--output', 'text'] },
  { ...inPages('--max-items', '3'), before: ['--output', 'yaml'] },
  { ...list(), answers: [jobs(1, 1, 'same')] },
  { ...list(), answers: [jobs(1, 1, '')] },
  { ...list(), answers: [{ body: {} }] },
  { ...list('--query', 'OptimizationJobSummaries[].OptimizationJobName'), answers: PAGES },
];

const ARN = 'arn:aws:sagemaker:us-east-1:123456789012:optimization-job/j';
const tags = (...args: readonly string[]): Case => ({
  args: ['list-tags', '--resource-arn', ARN, ...args],
  answers: [
    { body: { Tags: [{ Key: 'a', Value: 'b' }], NextToken: 't' } },
    { body: { Tags: [{ Key: 'c', Value: '' }] } },
  ],
});

const TAG_PAGES: readonly Case[] = [
  tags(),
  tags('--max-items', '1'),
  tags('--page-size', '50'),
  tags('--page-size', '10'),
  tags('--no-paginate'),
  tags('--max-results', '60'),
];

export const LIST_CASES: readonly Case[] = [...FILTERS, ...TIMES, ...PAGING, ...TAG_PAGES];
