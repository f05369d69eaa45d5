import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { startTestServer, type TestServer } from './s3-server.js';

export const MIB = 1024 * 1024;
export const Bucket = 'models';

/** A server with a bucket, the AWS SDK's client for it, and the calls that most tests make. */
export class SdkSession {
  readonly server: TestServer;
  readonly s3: S3Client;

  private constructor(server: TestServer) {
    this.server = server;
    this.s3 = server.client();
  }

  static async start(): Promise<SdkSession> {
    const session = new SdkSession(await startTestServer());
    await session.s3.send(new CreateBucketCommand({ Bucket }));
    return session;
  }

  async end(): Promise<void> {
    expect(this.server.faults).toEqual([]);
    await this.server.close();
  }

  put(Key: string, Body: string | Uint8Array = 'x') {
    return this.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  }

  async get(Key: string, more: object = {}) {
    const response = await this.s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
    const bytes = Buffer.from((await response.Body?.transformToByteArray()) ?? []);
    return { ...response, bytes };
  }

  /** The plain file of a key. */
  file(Key: string): string {
    return join(this.server.dataDir, 'buckets', Bucket, Key);
  }
}

/** The error of a request that is to fail; undefined if it did not. */
export async function failing(request: Promise<unknown>) {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error as { name: string; message: string; $metadata: { httpStatusCode: number } };
}
