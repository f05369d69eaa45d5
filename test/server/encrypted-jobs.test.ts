import { createHash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { CreateOptimizationJobCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadOrCreateMasterKey } from '#burnish/encryption/master-key.js';
import { NamedKeys } from '#burnish/encryption/named-keys.js';
import type { JobStore } from '#burnish/store/job-store.js';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const Bucket = 'models';

let service: RunningService;
let store: JobStore;
let keys: NamedKeys;
let keyArn: string;

beforeAll(async () => {
  service = await startTestService();
  await cp(MODEL, join(service.dataDir, 'buckets', Bucket, 'source'), { recursive: true });
  // As the administration commands do it: beside the service that runs.
  store = await openSqliteStore(join(service.dataDir, 'jobs.db'));
  const owner = { region: 'us-east-1', accountId: '000000000000' };
  keys = new NamedKeys(store.keys, await loadOrCreateMasterKey(service.dataDir), owner);
});
beforeEach(async () => {
  keyArn = (await keys.create()).arn;
});
afterAll(async () => {
  await store.close();
  await service.close();
});

function create(name: string, KmsKeyId: string, source = 'source') {
  return service.sagemaker.send(
    new CreateOptimizationJobCommand({
      OptimizationJobName: name,
      RoleArn: 'arn:aws:iam::000000000000:role/burnish-execution',
      ModelSource: { S3: { S3Uri: `s3://${Bucket}/${source}` } },
      DeploymentInstanceType: 'ml.g5.12xlarge',
      OptimizationConfigs: [
        { ModelQuantizationConfig: { OverrideEnvironment: { OPTION_QUANTIZE: 'rtn' } } },
      ],
      OptimizationEnvironment: { OPTION_EVALUATE: 'false' },
      OutputConfig: { S3OutputLocation: `s3://${Bucket}/${name}`, KmsKeyId },
      StoppingCondition: {},
    }),
  );
}

async function get(Key: string) {
  const { Body, ...rest } = await service.s3.send(new GetObjectCommand({ Bucket, Key }));
  return { ...rest, bytes: Buffer.from((await Body?.transformToByteArray()) ?? []) };
}

async function filesOf(name: string): Promise<readonly string[]> {
  const { Contents = [] } = await service.s3.send(
    new ListObjectsV2Command({ Bucket, Prefix: `${name}/` }),
  );
  return Contents.map(({ Key }) => Key ?? '');
}

describe('a job with a KMS key', () => {
  it('leaves nothing in clear on the disk, and everything to who reads it through S3', async () => {
    await create('sealed', keyArn);
    expect(await service.ended('sealed')).toMatchObject({
      OptimizationJobStatus: 'COMPLETED',
      OutputConfig: { KmsKeyId: keyArn },
    });
    const files = await filesOf('sealed');
    expect(files).toContain('sealed/config.json');
    expect(files).toContain('sealed/model.safetensors');
    // What every file of a checkpoint has in clear: JSON, and the source's own text files.
    const folder = join(service.dataDir, 'buckets', Bucket, 'sealed');
    for (const name of await readdir(folder)) {
      const onDisk = await readFile(join(folder, name));
      const { bytes, ContentLength, SSEKMSKeyId } = await get(`sealed/${name}`);
      expect(SSEKMSKeyId).toBe(keyArn);
      expect(ContentLength).toBe(bytes.length);
      // No run of 24 bytes of the file in clear is in the file on the disk.
      const pieces = [0, 0.25, 0.5, 0.75].map((part) => Math.floor(part * (bytes.length - 24)));
      for (const at of pieces) {
        expect(onDisk.includes(bytes.subarray(at, at + 24)), `${name} at ${at}`).toBe(false);
      }
      expect(onDisk.includes('quantization')).toBe(false);
    }
    expect(await readdir(join(service.dataDir, 'work'))).toEqual([]);
  });

  it('reports checksums of the bytes in clear, which who downloads them finds', async () => {
    await create('summed', keyArn);
    await service.ended('summed');
    const report = JSON.parse((await get('summed/optimization-report.json')).bytes.toString());
    const { files } = report as {
      files: readonly { name: string; bytes: number; sha256: string }[];
    };
    expect(files.length).toBeGreaterThan(2);
    for (const { name, bytes, sha256 } of files) {
      const got = await get(`summed/${name}`);
      expect(got.bytes).toHaveLength(bytes);
      expect(createHash('sha256').update(got.bytes).digest('hex')).toBe(sha256);
    }
  });

  it('can have an encrypted source, the result of another one', async () => {
    for (const name of await readdir(MODEL)) {
      const Body = await readFile(join(MODEL, name));
      const Key = `sealed-source/${name}`;
      const sse = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn } as const;
      await service.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...sse }));
    }
    await create('again', keyArn, 'sealed-source');
    expect(await service.ended('again')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    expect(await readdir(join(service.dataDir, 'work'))).toEqual([]);
    const head = await service.s3.send(
      new HeadObjectCommand({ Bucket, Key: 'again/model.safetensors' }),
    );
    expect(head.ServerSideEncryption).toBe('aws:kms');
  });

  it('is refused when the key is unknown or can’t be used', async () => {
    await expect(create('refused', 'alias/none')).rejects.toMatchObject({
      name: 'ValidationException',
      message:
        'OutputConfig.KmsKeyId: Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found.',
    });
    await keys.setEnabled(keyArn, false);
    await expect(create('refused', keyArn)).rejects.toMatchObject({
      name: 'ValidationException',
      message: `OutputConfig.KmsKeyId: ${keyArn} is disabled.`,
    });
  });

  it('fails, with the reason, when the key is disabled before it starts', async () => {
    await create('first', keyArn);
    await create('second', keyArn);
    await keys.setEnabled(keyArn, false);
    const { OptimizationJobStatus, FailureReason } = await service.ended('second');
    expect(OptimizationJobStatus).toBe('FAILED');
    expect(FailureReason).toBe(`KMS.DisabledException: ${keyArn} is disabled.`);
    await service.ended('first');
    expect(await filesOf('second')).toEqual([]);
  });
});
