import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { administer, type TestAdministration } from '../support/administer.js';
import { createCommand } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const ACCOUNT = '000000000000';
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const policy = (Statement: object) => JSON.stringify({ Version: '2012-10-17', Statement });

/** Stands in for AWS: it has S3, STS, a user that is the service's, and roles that trust it. */
let cloud: RunningService;
let administration: TestAdministration;
/** Has no policies of its own: whatever it may do, it may as a role of the cloud. */
let service: RunningService;
const before = { ...process.env };

beforeAll(async () => {
  cloud = await startTestService();
  administration = await administer(cloud.dataDir);
  const source = join(cloud.dataDir, 'buckets', 'models', 'source');
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'config.json'), '{}');
  const { identities } = administration;
  await identities.createUser('burnish-service');
  const trust = policy({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/burnish-service` },
    Action: 'sts:AssumeRole',
  });
  const s3 = (Action: string[]) => policy({ Effect: 'Allow', Action, Resource: '*' });
  await identities.createRole('reader', trust);
  await identities.putPolicy('role', 'reader', 'own', s3(['s3:GetObject', 's3:ListBucket']));
  await identities.createRole('blind', trust);
  await identities.createRole(
    'closed',
    policy({
      Effect: 'Allow',
      Principal: { Service: 'ec2.amazonaws.com' },
      Action: 'sts:AssumeRole',
    }),
  );
  const { key, secret } = await identities.createAccessKey('burnish-service');
  await administration.noticed(cloud.url);
  process.env.AWS_ACCESS_KEY_ID = key.id;
  process.env.AWS_SECRET_ACCESS_KEY = secret;
  service = await startTestService({
    s3Endpoint: { endpoint: cloud.url, region: 'us-east-1', pathStyle: true },
    file: { roles: { assumeThroughSts: { endpoint: cloud.url, sessionSeconds: 900 } } },
  });
});

afterAll(async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  await service.close();
  await administration.close();
  await cloud.close();
});

const create = (name: string, role: string) =>
  service.sagemaker.send(
    createCommand({
      OptimizationJobName: name,
      RoleArn: roleArn(role),
      OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
    }),
  );

it('reads the source with the credentials of the role', async () => {
  await create('allowed', 'reader');
  const job = await service.ended('allowed');
  // The source was staged: what failed is the optimizer, on an empty configuration.
  expect(job.OptimizationJobStatus).toBe('FAILED');
  expect(job.FailureReason).toMatch(/config\.json|safetensors/);
});

it('may not do what the role may not, whatever the service is', async () => {
  await expect(create('blind', 'blind')).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringMatching(
      /ModelSource\.S3\.S3Uri: s3:\/\/models\/source: .*refused access/,
    ),
  });
});

it.each(['closed', 'absent'])('refuses the role %s, which it can not assume', async (role) => {
  await expect(create(role, role)).rejects.toMatchObject({
    name: 'ValidationException',
    message: expect.stringContaining(`Could not assume role ${roleArn(role)}`),
  });
});
