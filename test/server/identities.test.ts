import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateOptimizationJobCommand,
  type CreateOptimizationJobCommandInput,
  DescribeOptimizationJobCommand,
  ListOptimizationJobsCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administer, type TestAdministration } from '../support/administer.js';
import { createInput } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const ACCOUNT = '000000000000';
const TRUST_SAGEMAKER = trust({ Service: 'sagemaker.amazonaws.com' });

let service: RunningService;
let administration: TestAdministration;

beforeAll(async () => {
  service = await startTestService();
  administration = await administer(service.dataDir);
  const source = join(service.dataDir, 'buckets', 'models', 'source');
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'config.json'), '{}');
  await mkdir(join(service.dataDir, 'buckets', 'other', 'secret'), { recursive: true });
});

afterAll(async () => {
  await administration.close();
  await service.close();
});

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function policy(...Statement: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

function trust(Principal: object, Condition?: object): string {
  return policy({
    Effect: 'Allow',
    Principal,
    Action: 'sts:AssumeRole',
    ...(Condition === undefined ? {} : { Condition }),
  });
}

const allow = (Action: string | readonly string[], Resource: string | readonly string[] = '*') => ({
  Effect: 'Allow',
  Action,
  Resource,
});

/** A user with one policy, and a key of it. */
async function newUser(name: string, document?: string): Promise<Credentials> {
  await administration.identities.createUser(name);
  if (document !== undefined) {
    await administration.identities.putPolicy('user', name, 'own', document);
  }
  const { key, secret } = await administration.identities.createAccessKey(name);
  await administration.noticed(service.url);
  return { accessKeyId: key.id, secretAccessKey: secret };
}

const settings = (credentials: Credentials) => ({
  endpoint: service.url,
  region: 'us-east-1',
  credentials,
  maxAttempts: 1,
});

async function whoIs(credentials: Credentials) {
  const sts = new STSClient(settings(credentials));
  try {
    return await sts.send(new GetCallerIdentityCommand({}));
  } finally {
    sts.destroy();
  }
}

const list = (credentials: Credentials) =>
  new SageMakerClient(settings(credentials)).send(new ListOptimizationJobsCommand({}));

const create = (
  credentials: Credentials,
  name: string,
  change: Partial<CreateOptimizationJobCommandInput> = {},
) =>
  new SageMakerClient(settings(credentials)).send(
    new CreateOptimizationJobCommand({
      ...createInput({
        OptimizationJobName: name,
        OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
      }),
      ...change,
    }),
  );

describe('access keys', () => {
  it('are noticed by the service that runs: made, disabled, enabled, rotated and deleted', async () => {
    const { identities } = administration;
    const first = await newUser('rotating');
    expect((await whoIs(first)).Arn).toBe(`arn:aws:iam::${ACCOUNT}:user/rotating`);

    await identities.setAccessKeyStatus('rotating', first.accessKeyId, 'Inactive');
    await administration.noticed(service.url);
    await expect(whoIs(first)).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid.',
      $metadata: { httpStatusCode: 403 },
    });

    await identities.setAccessKeyStatus('rotating', first.accessKeyId, 'Active');
    const { key, secret } = await identities.rotateAccessKey('rotating', first.accessKeyId);
    await administration.noticed(service.url);
    await expect(whoIs(first)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    const second = { accessKeyId: key.id, secretAccessKey: secret };
    expect((await whoIs(second)).Account).toBe(ACCOUNT);

    await identities.deleteAccessKey('rotating', key.id);
    await administration.noticed(service.url);
    await expect(whoIs(second)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
  });

  it('leave no secret in the record', async () => {
    const { secretAccessKey } = await newUser('sealed');
    const { accessKeys } = await administration.record.snapshot();
    expect(JSON.stringify(accessKeys)).not.toContain(secretAccessKey);
  });

  it('outlive a restart of the service', async () => {
    const own = await newUser('lasting');
    await service.restart();
    expect((await whoIs(own)).Arn).toContain('user/lasting');
  });
});

describe('a user', () => {
  it('may do nothing without a policy, and hears so in the words of AWS', async () => {
    const nobody = await newUser('nobody');
    await expect(list(nobody)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${ACCOUNT}:user/nobody is not authorized to perform: sagemaker:ListOptimizationJobs on resource: * because no identity-based policy allows the sagemaker:ListOptimizationJobs action`,
      $metadata: { httpStatusCode: 400 },
    });
    await expect(
      new S3Client({ ...settings(nobody), forcePathStyle: true }).send(
        new GetObjectCommand({ Bucket: 'models', Key: 'source/config.json' }),
      ),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:iam::${ACCOUNT}:user/nobody is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::models/source/config.json" because no identity-based policy allows the s3:GetObject action`,
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('hears of an explicit deny', async () => {
    const barred = await newUser(
      'barred',
      policy(allow('*'), { Effect: 'Deny', Action: 'sagemaker:List*', Resource: '*' }),
    );
    await expect(list(barred)).rejects.toMatchObject({
      message: expect.stringMatching(/ with an explicit deny in an identity-based policy$/),
    });
    await expect(whoIs(barred)).resolves.toMatchObject({ Account: ACCOUNT });
  });

  it('can do more as soon as it has a policy for it', async () => {
    const later = await newUser('later');
    await expect(list(later)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await administration.identities.putPolicy('user', 'later', 'own', policy(allow('sagemaker:*')));
    await administration.noticed(service.url);
    await expect(list(later)).resolves.toBeTruthy();
  });

  it('is not told of keys that are missing from a bucket it may not list', async () => {
    const reader = await newUser('reader', policy(allow('s3:GetObject', 'arn:aws:s3:::models/*')));
    const s3 = new S3Client({ ...settings(reader), forcePathStyle: true });
    await expect(
      s3.send(new GetObjectCommand({ Bucket: 'models', Key: 'source/config.json' })),
    ).resolves.toBeTruthy();
    await expect(
      s3.send(new GetObjectCommand({ Bucket: 'models', Key: 'missing' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('is refused key by key where several are deleted', async () => {
    const cleaner = await newUser('cleaner', policy(allow('s3:*', 'arn:aws:s3:::models/mine/*')));
    const s3 = new S3Client({ ...settings(cleaner), forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: 'models', Key: 'mine/x', Body: 'x' }));
    const answer = await s3.send(
      new DeleteObjectsCommand({
        Bucket: 'models',
        Delete: { Objects: [{ Key: 'mine/x' }, { Key: 'source/config.json' }] },
      }),
    );
    expect(answer.Deleted).toEqual([{ Key: 'mine/x' }]);
    expect(answer.Errors).toMatchObject([{ Key: 'source/config.json', Code: 'AccessDenied' }]);
    await expect(s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'mine' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('must be allowed to read what it copies', async () => {
    const copier = await newUser('copier', policy(allow('s3:PutObject', 'arn:aws:s3:::models/*')));
    const answer = await new S3Client({ ...settings(copier), forcePathStyle: true })
      .send(new PutObjectCommand({ Bucket: 'models', Key: 'copied', Body: 'x' }))
      .then(async () => {
        const { CopyObjectCommand } = await import('@aws-sdk/client-s3');
        return new S3Client({ ...settings(copier), forcePathStyle: true }).send(
          new CopyObjectCommand({
            Bucket: 'models',
            Key: 'stolen',
            CopySource: 'models/source/config.json',
          }),
        );
      })
      .catch((error: Error) => error);
    expect(answer).toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('s3:GetObject'),
    });
  });
});

describe('creating a job', () => {
  it('needs the job, its tags and its role to be allowed', async () => {
    const role = `arn:aws:iam::${ACCOUNT}:role/burnish-execution`;
    const creator = await newUser('creator', policy(allow('sagemaker:CreateOptimizationJob')));
    await expect(create(creator, 'passing')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${ACCOUNT}:user/creator is not authorized to perform: iam:PassRole on resource: ${role} because no identity-based policy allows the iam:PassRole action`,
    });
    await administration.identities.putPolicy(
      'user',
      'creator',
      'pass',
      policy({
        ...allow('iam:PassRole', role),
        Condition: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
      }),
    );
    await administration.noticed(service.url);
    await expect(create(creator, 'passing')).resolves.toBeTruthy();
    await expect(
      create(creator, 'tagging', { Tags: [{ Key: 'team', Value: 'a' }] }),
    ).rejects.toMatchObject({ message: expect.stringContaining('sagemaker:AddTags') });
  });

  it('refuses a role that is not there, and one that does not trust SageMaker', async () => {
    const { identities } = administration;
    await identities.createRole('trusts-others', trust({ Service: 'ec2.amazonaws.com' }));
    await administration.noticed(service.url);
    for (const name of ['missing', 'trusts-others']) {
      const RoleArn = `arn:aws:iam::${ACCOUNT}:role/${name}`;
      await expect(create(service.credentials, 'unassumable', { RoleArn })).rejects.toMatchObject({
        name: 'ValidationException',
        message: `Could not assume role ${RoleArn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.`,
      });
    }
  });

  it('holds the job to its role, not to the caller or the service', async () => {
    const { identities } = administration;
    await identities.createRole('narrow', TRUST_SAGEMAKER);
    const bucket = 'arn:aws:s3:::models';
    await identities.putPolicy(
      'role',
      'narrow',
      'own',
      policy(allow('s3:ListBucket', bucket), allow('s3:GetObject', `${bucket}/source/*`)),
    );
    await administration.noticed(service.url);
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/narrow`;
    await expect(
      create(service.credentials, 'elsewhere', {
        RoleArn,
        ModelSource: { S3: { S3Uri: 's3://other/secret' } },
      }),
    ).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(
        `ModelSource.S3.S3Uri: s3://other/secret: User: arn:aws:sts::${ACCOUNT}:assumed-role/narrow/elsewhere is not authorized to perform: s3:ListBucket on resource: arn:aws:s3:::other`,
      ),
    });
    // What the role may do is asked again when the job runs.
    await identities.putPolicy('role', 'narrow', 'own', policy(allow('s3:ListBucket', bucket)));
    await administration.noticed(service.url);
    await create(service.credentials, 'unreadable', { RoleArn });
    const job = await service.ended('unreadable');
    expect(job.OptimizationJobStatus).toBe('FAILED');
    expect(job.FailureReason).toContain(
      `User: arn:aws:sts::${ACCOUNT}:assumed-role/narrow/unreadable is not authorized to perform: s3:GetObject on resource: ${bucket}/source/config.json`,
    );
  });
});

describe('the Security Token Service', () => {
  const everything = policy(allow('*'));

  it('says who asks', async () => {
    expect(await whoIs(service.credentials)).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:iam::${ACCOUNT}:root`,
      UserId: ACCOUNT,
    });
  });

  it('gives credentials of a role to whom its trust policy names', async () => {
    const { identities } = administration;
    const own = await newUser('assumer');
    await identities.createRole('assumed', trust({ AWS: `arn:aws:iam::${ACCOUNT}:user/assumer` }));
    await identities.putPolicy('role', 'assumed', 'own', policy(allow('sagemaker:List*')));
    await administration.noticed(service.url);
    const sts = new STSClient(settings(own));
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/assumed`;
    const { Credentials: given, AssumedRoleUser } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'work', DurationSeconds: 900 }),
    );
    const { Arn } = AssumedRoleUser ?? {};
    expect(Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/assumed/work`);
    const left = (given?.Expiration?.getTime() ?? 0) - Date.now();
    expect(left).toBeGreaterThan(800_000);
    expect(left).toBeLessThanOrEqual(900_000);
    const session: Credentials = {
      accessKeyId: given?.AccessKeyId ?? '',
      secretAccessKey: given?.SecretAccessKey ?? '',
      sessionToken: given?.SessionToken ?? '',
    };
    expect(session.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect((await whoIs(session)).Arn).toBe(Arn);
    await expect(list(session)).resolves.toBeTruthy();
    await expect(
      new SageMakerClient(settings(session)).send(
        new DescribeOptimizationJobCommand({ OptimizationJobName: 'x' }),
      ),
    ).rejects.toMatchObject({ message: expect.stringContaining(`User: ${Arn} is not authorized`) });
    // The token belongs to its key, and the key to its token.
    const { sessionToken: _, ...bare } = session;
    await expect(whoIs(bare)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    await expect(whoIs({ ...own, sessionToken: session.sessionToken ?? '' })).rejects.toMatchObject(
      {
        name: 'InvalidClientTokenId',
      },
    );
    // A role of the same name that is made anew is another one.
    await identities.deletePolicy('role', 'assumed', 'own');
    await identities.delete('role', 'assumed');
    await identities.createRole('assumed', trust({ AWS: `arn:aws:iam::${ACCOUNT}:user/assumer` }));
    await identities.putPolicy('role', 'assumed', 'own', everything);
    await administration.noticed(service.url);
    await expect(list(session)).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  });

  it('asks the trust policy, its conditions and the policies of the caller', async () => {
    const { identities } = administration;
    const own = await newUser('partner');
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/guarded`;
    await identities.createRole(
      'guarded',
      trust(
        { AWS: `arn:aws:iam::${ACCOUNT}:root` },
        { StringEquals: { 'sts:ExternalId': 'blue' } },
      ),
    );
    await administration.noticed(service.url);
    const sts = new STSClient(settings(own));
    const assume = (ExternalId: string) =>
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'work', ExternalId }));
    // The account is trusted, so a policy of the user has to allow it too.
    await expect(assume('blue')).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(
        `is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
      ),
      $metadata: { httpStatusCode: 403 },
    });
    await identities.putPolicy('user', 'partner', 'own', policy(allow('sts:AssumeRole', RoleArn)));
    await administration.noticed(service.url);
    await expect(assume('red')).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(assume('blue')).resolves.toBeTruthy();
    await expect(
      sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${ACCOUNT}:role/absent`,
          RoleSessionName: 'work',
        }),
      ),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'work', DurationSeconds: 7_200 })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(
      sts.send(
        new AssumeRoleCommand({
          RoleArn,
          RoleSessionName: 'work',
          ExternalId: 'blue',
          DurationSeconds: 7_200,
        }),
      ),
    ).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
    await expect(
      sts.send(
        new AssumeRoleCommand({
          RoleArn,
          RoleSessionName: 'work',
          ExternalId: 'blue',
          Policy: '{"Version":"2012-10-17"}',
        }),
      ),
    ).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' });
    sts.destroy();
  });

  it('says clearly what it does not have', async () => {
    const sts = new STSClient(settings(service.credentials));
    await expect(sts.send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
      name: 'InvalidAction',
      message: expect.stringContaining('this service has AssumeRole and GetCallerIdentity'),
    });
    await expect(
      sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${ACCOUNT}:role/burnish-execution`,
          RoleSessionName: 'work',
        }),
      ),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'Roles may not be assumed by root accounts.',
    });
    sts.destroy();
  });

  it('answers in its own XML also to whom it does not know', async () => {
    const answer = await fetch(service.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><Error><Type>Sender<\/Type><Code>MissingAuthenticationToken<\/Code>/,
    );
  });
});
