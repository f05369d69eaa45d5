import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  AddTagsCommand,
  DeleteOptimizationJobCommand,
  DeleteTagsCommand,
  DescribeOptimizationJobCommand,
  ListOptimizationJobsCommand,
  SageMakerClient,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobRequest } from '#burnish/store/job-record.js';
import {
  POLICY_CASES,
  type PolicyCase,
  type Statement,
} from '../identity/policies/policy-cases.js';
import { administer, type TestAdministration } from '../support/administer.js';
import { createRequest } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const ON_WIRE = POLICY_CASES.filter(({ offWire }) => offWire !== true);
const document = (statements: readonly Statement[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

let service: RunningService;
let administration: TestAdministration;
/** The credentials of each case, by its place. */
const credentials: Credentials[] = [];

beforeAll(async () => {
  service = await startTestService();
  administration = await administer(service.dataDir);
  for (const [index, one] of ON_WIRE.entries()) credentials.push(await identityFor(one, index));
  await recordTaggedJobs();
  await administration.noticed(service.url);
  for (const [index, { sessionPolicy }] of ON_WIRE.entries()) {
    const own = credentials[index];
    if (sessionPolicy === undefined || own === undefined) continue;
    credentials[index] = await sessionFor(own, `case-${index}`, document(sessionPolicy));
  }
});

afterAll(async () => {
  await administration.close();
  await service.close();
});

/** A user with the policies of a case; or, for a session, a role with them and a user who may assume it. */
async function identityFor(one: PolicyCase, index: number): Promise<Credentials> {
  const { identities } = administration;
  // The cases speak of alice, whose name is in variables: she has as many keys as IAM's users have.
  const name = `${JSON.stringify(one).includes('aws:username') ? 'alice' : 'user'}-${index}`;
  await identities.createUser(name);
  const { key, secret } = await identities.createAccessKey(name);
  const owner = one.sessionPolicy === undefined ? 'user' : 'role';
  const ownerName = owner === 'user' ? name : `case-${index}`;
  if (owner === 'role') {
    const trust = { Effect: 'Allow', Action: 'sts:AssumeRole' } as const;
    const Principal = { AWS: `arn:aws:iam::000000000000:user/${name}` };
    await identities.createRole(ownerName, document([{ ...trust, Principal }]));
  }
  for (const [number, statements] of one.policies.entries()) {
    await identities.putPolicy(owner, ownerName, `policy-${number}`, document(statements));
  }
  return { accessKeyId: key.id, secretAccessKey: secret };
}

async function sessionFor(own: Credentials, role: string, Policy: string): Promise<Credentials> {
  const sts = new STSClient({ endpoint: service.url, region: 'us-east-1', credentials: own });
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::000000000000:role/${role}`,
      RoleSessionName: 'alice',
      Policy,
    }),
  );
  sts.destroy();
  return {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  };
}

/** Jobs that exist with their tags, as far as cases speak of tags that a resource has. */
async function recordTaggedJobs(): Promise<void> {
  const known = new Set<string>();
  for (const { resource, resourceTags } of ON_WIRE) {
    if (resourceTags === undefined || known.has(resource)) continue;
    known.add(resource);
    const name = resource.slice(resource.lastIndexOf('/') + 1);
    await administration.store.create({
      name,
      arn: resource,
      request: createRequest({ OptimizationJobName: name }) as unknown as JobRequest,
      optimizationTypes: ['Quantization'],
      tags: Object.entries(resourceTags).map(([Key, Value]) => ({ Key, Value })),
      createdAt: Date.now(),
    });
    // Ended, so that the service leaves it alone.
    await administration.store.transition(name, ['STARTING'], 'FAILED', {
      at: Date.now(),
      ended: true,
    });
  }
}

/** Sends what a case asks for. */
async function send(one: PolicyCase, own: Credentials, username: string): Promise<unknown> {
  const client = {
    endpoint: service.url,
    region: 'us-east-1',
    credentials: own,
    maxAttempts: 1,
  };
  const resource = one.resource.replaceAll('alice', username);
  const name = resource.slice(resource.lastIndexOf('/') + 1);
  const key = resource.slice(resource.indexOf('/') + 1);
  const text = (context: string) => {
    const value = one.context?.[context];
    return typeof value === 'string' ? value.replaceAll('alice', username) : undefined;
  };
  const tags = Object.entries(one.context ?? {}).flatMap(([context, Value]) =>
    context.startsWith('aws:RequestTag/')
      ? [{ Key: context.slice('aws:RequestTag/'.length), Value: String(Value) }]
      : [],
  );
  const ResourceArn = resource;
  const sagemaker = new SageMakerClient(client);
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const logs = new CloudWatchLogsClient(client);
  const Bucket = 'models';
  const stream = resource.split(':log-stream:')[1] ?? '';
  const sending: Readonly<Record<string, () => Promise<unknown>>> = {
    'sagemaker:DescribeOptimizationJob': () =>
      sagemaker.send(new DescribeOptimizationJobCommand({ OptimizationJobName: name })),
    'sagemaker:StopOptimizationJob': () =>
      sagemaker.send(new StopOptimizationJobCommand({ OptimizationJobName: name })),
    'sagemaker:DeleteOptimizationJob': () =>
      sagemaker.send(new DeleteOptimizationJobCommand({ OptimizationJobName: name })),
    'sagemaker:ListOptimizationJobs': () => sagemaker.send(new ListOptimizationJobsCommand({})),
    'sagemaker:AddTags': () => sagemaker.send(new AddTagsCommand({ ResourceArn, Tags: tags })),
    'sagemaker:DeleteTags': () =>
      sagemaker.send(
        new DeleteTagsCommand({
          ResourceArn,
          TagKeys: [one.context?.['aws:TagKeys'] ?? []].flat(),
        }),
      ),
    's3:GetObject': () => s3.send(new GetObjectCommand({ Bucket, Key: key })),
    's3:PutObject': () => s3.send(new PutObjectCommand({ Bucket, Key: key, Body: 'x' })),
    's3:ListBucket': () =>
      s3.send(
        new ListObjectsV2Command({
          Bucket,
          Prefix: text('s3:prefix'),
          ...(text('s3:max-keys') === undefined ? {} : { MaxKeys: Number(text('s3:max-keys')) }),
        }),
      ),
    'logs:GetLogEvents': () =>
      logs.send(
        new GetLogEventsCommand({
          logGroupName: '/aws/sagemaker/OptimizationJobs',
          logStreamName: stream,
        }),
      ),
  };
  const act = sending[one.action];
  if (act === undefined) throw new Error(`no client sends ${one.action}`);
  try {
    return await act();
  } finally {
    sagemaker.destroy();
    s3.destroy();
    logs.destroy();
  }
}

async function outcomeOf(one: PolicyCase, index: number): Promise<string> {
  const own = credentials[index];
  if (own === undefined) throw new Error('the case has no credentials');
  try {
    await send(one, own, `alice-${index}`);
    return 'allowed';
  } catch (error) {
    const { name, message } = error as Error;
    // Whoever is allowed may still hear that there is no such thing; but who reads an object without
    // being allowed to list the bucket hears of that instead.
    const denied = name === 'AccessDeniedException' || name === 'AccessDenied';
    if (!denied || (message.includes('s3:ListBucket') && one.action !== 's3:ListBucket')) {
      return 'allowed';
    }
    return message.includes('with an explicit deny') ? 'explicitly denied' : 'implicitly denied';
  }
}

describe('what IAM documents of policies, over the wire', () => {
  it.each(ON_WIRE.map((one, index) => [one.name, one, index] as const))(
    '%s',
    async (_name, one, index) => {
      expect(await outcomeOf(one, index)).toBe(one.outcome);
    },
  );

  it('leaves the record as it was: nothing denied was done', async () => {
    const jobs = await administration.store.list({
      filter: {},
      sortBy: 'Name',
      descending: false,
      limit: 100,
      after: undefined,
    });
    expect(jobs.map(({ name }) => name)).toEqual(['tagged-2', 'tagged-3']);
  });
});
