/** The command line as such, the other operations, and what the service and the network say. */
import { type Answer, type Case, create, describeJob, list } from '../case.js';

const ARN = 'arn:aws:sagemaker:us-east-1:123456789012:optimization-job/j';

const OTHER_OPERATIONS: readonly Case[] = [
  describeJob('--optimization-job-name', 'n'),
  { args: ['stop-optimization-job', '--optimization-job-name', 'n'] },
  { args: ['delete-optimization-job', '--optimization-job-name=n'] },
  { args: ['add-tags', '--resource-arn', ARN, '--tags', 'Key=a,Value=b', 'Key=c,Value=d'] },
  { args: ['add-tags', '--resource-arn', ARN, '--tags'] },
  { args: ['add-tags', '--resource-arn', ARN] },
  { args: ['delete-tags', '--resource-arn', ARN, '--tag-keys', 'a', 'b'] },
  { args: ['delete-tags', '--resource-arn', ARN, '--tag-keys', '["a"]'] },
  { args: ['delete-tags', '--resource-arn', ARN, '--tag-keys', 'a,b'] },
  { args: ['delete-tags', '--resource-arn', ARN, '--tag-keys', ''] },
  { args: ['delete-tags', '--resource-arn', ARN, '--tag-keys'] },
  { args: ['delete-tags', '--tag-keys', 'a', '--resource-arn', ARN] },
  { args: ['delete-tags', '--tag-keys', '--resource-arn', ARN] },
];

const SYNTAX: readonly Case[] = [
  list('stray'),
  list('stray', 'words'),
  list('--unknown'),
  list('--unknown', 'value', '--name-contains', 'a'),
  list('--unknown=value'),
  list('-x'),
  list('--', '--name-contains', 'a'),
  list('--name-contains', 'a', '--', 'b'),
  { args: ['--', 'list-optimization-jobs'] },
  describeJob(),
  describeJob('--optimization-job-name'),
  describeJob('--optimization-job-nam', 'n'),
  describeJob('--optimization-job-names', 'n'),
  describeJob('--optimization-job-name', 'a', 'b'),
  { ...describeJob('--optimization-job-name', 'n', 'help', 'me'), output: 'ignored' },
  create('--optimization', 'x'),
  create('--o', 'x'),
  create('--m', 'x'),
  create('--ma', '1'),
  {
    args: ['list-optimization-job'],
    names: ['argument operation: Invalid choice', '* list-optimization-jobs'],
  },
  {
    args: ['listoptimizationjobs'],
    names: ['argument operation: Invalid choice', '* list-optimization-jobs'],
  },
  { args: ['frobnicate'], names: ['argument operation: Invalid choice'] },
  { args: [], names: ['the following arguments are required: operation'] },
  {
    args: ['--max-items', '3', 'list-optimization-jobs'],
    names: ['argument operation: Invalid choice'],
  },
];

const GLOBALS: readonly Case[] = [
  list('--outp', 'json'),
  list('--output', 'text'),
  list('--output=text', '--no-cli-pager', '--color', 'off'),
  { ...list('--output', 'jsn'), names: ['argument --output: Invalid choice', '* json'] },
  { ...list('--color', 'blue'), names: ['argument --color: Invalid choice'] },
  {
    ...list('--cli-binary-format', 'hex'),
    names: ['argument --cli-binary-format: Invalid choice'],
  },
  list('--cli-binary-format', 'raw-in-base64-out'),
  list('--c', 'x'),
  list('--no', 'x'),
  list('--region'),
  list('--no-paginate=yes'),
  list('--region', 'eu-west-1', '--no-sign-request'),
  list('--cli-read-timeout', 'soon'),
  list('--cli-connect-timeout', '0', '--cli-read-timeout', '0'),
  list('--cli-read-timeout', '60'),
  list('--endpoint-url', 'nowhere'),
  { ...list('--query', 'a['), names: ['Bad value for --query a[: '] },
  { ...list(), before: ['--query', 'OptimizationJobSummaries', '--output', 'text'] },
  { ...list(), before: ['--profile', 'nobody'] },
  { ...list('--version'), output: 'ignored' },
  { args: [], before: ['--version'], output: 'ignored' },
  {
    args: [],
    before: ['--output', 'jsn', '--version'],
    names: ['argument --output: Invalid choice'],
  },
];

const refusal = (code: string, status: number, message: string): readonly Answer[] => [
  { status, body: { __type: code, message } },
];

const ANSWERS: readonly Case[] = [
  {
    ...describeJob('--optimization-job-name', 'n'),
    answers: refusal('ResourceNotFound', 400, 'no such job'),
  },
  { ...create(), answers: refusal('ValidationException', 400, '1 validation error detected: …') },
  { ...create(), answers: refusal('com.amazonaws.sagemaker#ResourceInUse', 400, 'in use') },
  { ...list(), answers: refusal('AccessDeniedException', 403, 'not allowed') },
  { ...list(), answers: refusal('InternalFailure', 500, 'oh') },
  { ...list(), answers: [{ status: 400, body: { __type: 'X', Message: 'capital' } }] },
  { ...list(), answers: [{ status: 400, body: {} }] },
  {
    ...describeJob('--optimization-job-name', 'n', '--endpoint-url', 'http://127.0.0.1:1'),
    names: ['http://127.0.0.1:1/'],
  },
];

export const COMMAND_LINE_CASES: readonly Case[] = [
  ...OTHER_OPERATIONS,
  ...SYNTAX,
  ...GLOBALS,
  ...ANSWERS,
];
