import * as sdk from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AssumedRoleAccess } from '#burnish/identity/job-roles/assumed-role-access.js';
import { RoleNotAssumableError } from '#burnish/identity/job-roles/role-access.js';
import { KEY, startTestServer, type TestServer } from '../../server/s3/s3-server.js';

const SESSION = {
  roleArn: 'arn:aws:iam::111122223333:role/optimizer',
  jobName: 'nightly-7',
  jobArn: 'arn:aws:sagemaker:us-east-1:111122223333:optimization-job/nightly-7',
};

let server: TestServer;
let asked: sdk.AssumeRoleCommandInput[];

beforeAll(async () => {
  server = await startTestServer();
  await server.store.createBucket('models');
});

afterAll(async () => {
  await server.close();
});

beforeEach(() => {
  asked = [];
});

/** Roles through an STS that gives out the S3 server's key for some seconds, or says no. */
function access(lastsSeconds: number, refusal?: Error): AssumedRoleAccess {
  const client = {
    send: async ({ input }: sdk.AssumeRoleCommand) => {
      asked.push(input);
      if (refusal !== undefined) throw refusal;
      return {
        Credentials: {
          AccessKeyId: KEY.accessKeyId,
          SecretAccessKey: KEY.secretAccessKey,
          Expiration: new Date(Date.now() + lastsSeconds * 1000),
        },
      };
    },
  };
  return new AssumedRoleAccess(
    {
      s3: { endpoint: server.url, region: 'us-east-1', pathStyle: true },
      stsRegion: 'us-east-1',
      externalId: 'blue',
      durationSeconds: 1_800,
    },
    client as unknown as sdk.STSClient,
    sdk,
  );
}

describe('roles that are assumed through STS', () => {
  it("are assumed once for a job, in a session of the job's name", async () => {
    const roles = access(3_600);
    const objects = await roles.objectsFor(SESSION);
    await objects.headBucket('models');
    await (await roles.objectsFor(SESSION)).headBucket('models');
    expect(asked).toEqual([
      {
        RoleArn: SESSION.roleArn,
        RoleSessionName: 'nightly-7',
        DurationSeconds: 1_800,
        ExternalId: 'blue',
      },
    ]);
    await roles.objectsFor({ ...SESSION, jobName: 'nightly-8' });
    expect(asked.map(({ RoleSessionName }) => RoleSessionName)).toEqual(['nightly-7', 'nightly-8']);
  });

  it('are assumed again before their credentials end', async () => {
    const roles = access(60);
    const objects = await roles.objectsFor(SESSION);
    await objects.headBucket('models');
    await objects.headBucket('models');
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  it("are refused in SageMaker's words when STS says no, and asked for again the next time", async () => {
    const roles = access(3_600, new Error('AccessDenied'));
    await expect(roles.objectsFor(SESSION)).rejects.toThrow(RoleNotAssumableError);
    await expect(roles.objectsFor(SESSION)).rejects.toThrow(
      "Could not assume role arn:aws:iam::111122223333:role/optimizer. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.",
    );
    expect(asked).toHaveLength(2);
  });
});
