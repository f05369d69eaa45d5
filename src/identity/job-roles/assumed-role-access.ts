import type { STSClient } from '@aws-sdk/client-sts';
import type { ObjectStore } from '../../objects/object-store.js';
import type { S3EndpointConfig } from '../../objects/s3-endpoint-store/endpoint.js';
import {
  openS3EndpointStore,
  type S3EndpointStore,
} from '../../objects/s3-endpoint-store/s3-endpoint-store.js';
import { type JobSession, type RoleAccess, RoleNotAssumableError } from './role-access.js';

/** STS allows names of sessions of this length; names of jobs are at most one shorter. */
const MAX_SESSION_NAME = 64;
/** Stores of jobs that are kept open, each with its connections. */
const MAX_STORES = 64;

export interface AssumedRoleAccessOptions {
  readonly s3: S3EndpointConfig;
  /** URL of the STS endpoint; Amazon's own of the region if not given. */
  readonly stsEndpoint?: string | undefined;
  readonly stsRegion: string;
  readonly externalId?: string | undefined;
  /** How long the credentials of a session hold; they are renewed some minutes before their end. */
  readonly durationSeconds: number;
}

/**
 * Roles of an AWS account: the service assumes the role of each job through STS, with the job's name as
 * the name of the session, and reads and writes with the credentials that it gets.
 */
export async function openAssumedRoleAccess(
  options: AssumedRoleAccessOptions,
): Promise<AssumedRoleAccess> {
  const sdk = await import('@aws-sdk/client-sts');
  const client = new sdk.STSClient({
    region: options.stsRegion,
    ...(options.stsEndpoint === undefined ? {} : { endpoint: options.stsEndpoint }),
  });
  return new AssumedRoleAccess(options, client, sdk);
}

/** The objects of an S3 endpoint as roles see them, with credentials that STS gives for each role and job. */
export class AssumedRoleAccess implements RoleAccess {
  private readonly stores = new Map<string, Promise<S3EndpointStore>>();

  constructor(
    private readonly options: AssumedRoleAccessOptions,
    private readonly client: STSClient,
    private readonly sdk: typeof import('@aws-sdk/client-sts'),
  ) {}

  objectsFor(session: JobSession): Promise<ObjectStore> {
    const key = `${session.roleArn} ${session.jobName}`;
    const known = this.stores.get(key);
    if (known !== undefined) return known;
    const opening = this.open(session);
    this.stores.set(key, opening);
    const oldest = this.stores.keys().next();
    if (this.stores.size > MAX_STORES && oldest.done !== true) this.stores.delete(oldest.value);
    opening.catch(() => this.stores.delete(key));
    return opening;
  }

  /** AWS itself holds the session to the role's policies. */
  async authorize(session: JobSession): Promise<void> {
    await this.objectsFor(session);
  }

  private async open(session: JobSession): Promise<S3EndpointStore> {
    let first: Awaited<ReturnType<typeof this.credentials>> | undefined =
      await this.credentials(session);
    return openS3EndpointStore({
      ...this.options.s3,
      // The SDK asks again when `expiration` comes near.
      credentials: async () => {
        const given = first ?? (await this.credentials(session));
        first = undefined;
        return given;
      },
    });
  }

  private async credentials({ roleArn, jobName }: JobSession) {
    const { externalId, durationSeconds } = this.options;
    try {
      const { Credentials } = await this.client.send(
        new this.sdk.AssumeRoleCommand({
          RoleArn: roleArn,
          RoleSessionName: jobName.slice(0, MAX_SESSION_NAME),
          DurationSeconds: durationSeconds,
          ...(externalId === undefined ? {} : { ExternalId: externalId }),
        }),
      );
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
      if (AccessKeyId === undefined || SecretAccessKey === undefined) {
        throw new Error('the answer of STS has no credentials');
      }
      return {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
        ...(Expiration === undefined ? {} : { expiration: Expiration }),
      };
    } catch (error) {
      throw new RoleNotAssumableError(roleArn, { cause: error });
    }
  }
}
