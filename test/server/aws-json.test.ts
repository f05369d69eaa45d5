import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AddTagsCommand,
  CreateOptimizationJobCommand,
  type CreateOptimizationJobCommandInput,
  DeleteOptimizationJobCommand,
  DeleteTagsCommand,
  DescribeOptimizationJobCommand,
  ListOptimizationJobsCommand,
  ListTagsCommand,
  paginateListOptimizationJobs,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInput } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';
import { signedFetch } from '../support/signed-fetch.js';

let service: RunningService;

beforeAll(async () => {
  service = await startTestService();
  const source = join(service.dataDir, 'buckets', 'models', 'source');
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'config.json'), '{}');
});

afterAll(() => service.close());

function inputOf(
  name: string,
  change: Partial<CreateOptimizationJobCommandInput> = {},
): CreateOptimizationJobCommandInput {
  const input = createInput({
    OptimizationJobName: name,
    OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
  });
  return { ...input, ...change };
}

const create = (name: string, change: Partial<CreateOptimizationJobCommandInput> = {}) =>
  service.sagemaker.send(new CreateOptimizationJobCommand(inputOf(name, change)));

describe('the eight operations, through the AWS SDK', () => {
  it('creates, describes, lists and deletes a job', async () => {
    const { OptimizationJobArn } = await create('first', { Tags: [{ Key: 'team', Value: 'a' }] });
    expect(OptimizationJobArn).toBe(
      'arn:aws:sagemaker:us-east-1:000000000000:optimization-job/first',
    );
    const job = await service.ended('first');
    // The source is only an empty configuration, so the optimizer refuses it.
    expect(job.OptimizationJobStatus).toBe('FAILED');
    expect(job.FailureReason).toBeTruthy();
    expect(job.CreationTime).toBeInstanceOf(Date);
    expect(job.StoppingCondition?.MaxRuntimeInSeconds).toBe(86_400);
    expect(job.OptimizationEnvironment).toEqual({ OPTION_QUANTIZE: 'rtn' });
    expect(job.OptimizationConfigs).toEqual([{ ModelQuantizationConfig: {} }]);
    expect(job).not.toHaveProperty('Tags');

    const list = await service.sagemaker.send(new ListOptimizationJobsCommand({}));
    expect(list.OptimizationJobSummaries).toMatchObject([
      {
        OptimizationJobName: 'first',
        OptimizationJobStatus: 'FAILED',
        OptimizationTypes: ['Quantization'],
        DeploymentInstanceType: 'ml.g5.xlarge',
      },
    ]);
    await service.sagemaker.send(
      new DeleteOptimizationJobCommand({ OptimizationJobName: 'first' }),
    );
    await expect(
      service.sagemaker.send(new DescribeOptimizationJobCommand({ OptimizationJobName: 'first' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFound', $metadata: { httpStatusCode: 400 } });
  });

  it('refuses a name that is taken', async () => {
    await create('taken');
    await expect(create('taken')).rejects.toMatchObject({ name: 'ResourceInUse' });
  });

  it('pages with filters, and refuses a token of other filters', async () => {
    for (let index = 0; index < 5; index += 1) await create(`page-${index}`);
    const names: string[] = [];
    const pages = paginateListOptimizationJobs(
      { client: service.sagemaker, pageSize: 2 },
      { NameContains: 'page-', SortBy: 'Name', SortOrder: 'Descending' },
    );
    for await (const page of pages) {
      names.push(
        ...(page.OptimizationJobSummaries ?? []).map((job) => job.OptimizationJobName ?? ''),
      );
    }
    expect(names).toEqual(['page-4', 'page-3', 'page-2', 'page-1', 'page-0']);
    const { NextToken } = await service.sagemaker.send(
      new ListOptimizationJobsCommand({ NameContains: 'page-', MaxResults: 2 }),
    );
    await expect(
      service.sagemaker.send(new ListOptimizationJobsCommand({ NextToken, MaxResults: 2 })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('adds, lists and deletes tags', async () => {
    const { OptimizationJobArn: ResourceArn } = await create('tagged');
    const send = service.sagemaker;
    const added = await send.send(
      new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'ключ', Value: 'a b' }] }),
    );
    expect(added.Tags).toEqual([{ Key: 'ключ', Value: 'a b' }]);
    await send.send(new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'two', Value: '' }] }));
    await send.send(new DeleteTagsCommand({ ResourceArn, TagKeys: ['ключ'] }));
    const { Tags } = await send.send(new ListTagsCommand({ ResourceArn }));
    expect(Tags).toEqual([{ Key: 'two', Value: '' }]);
    await expect(
      send.send(new ListTagsCommand({ ResourceArn: `${ResourceArn}-other` })),
    ).rejects.toMatchObject({ name: 'ResourceNotFound' });
    await expect(
      send.send(new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'aws:x', Value: '' }] })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('names the state of a job that can’t be stopped', async () => {
    await create('over');
    await service.ended('over');
    await expect(
      service.sagemaker.send(new StopOptimizationJobCommand({ OptimizationJobName: 'over' })),
    ).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('FAILED'),
    });
  });
});

describe('what is refused at creation', () => {
  it.each<[string, Partial<CreateOptimizationJobCommandInput>, RegExp]>([
    ['no config', { OptimizationConfigs: [] }, /OptimizationConfigs is empty/],
    [
      'two quantization steps',
      {
        OptimizationConfigs: [{ ModelQuantizationConfig: {} }, { ModelQuantizationConfig: {} }],
      },
      /two quantization steps/,
    ],
    [
      'FP8 on a T4',
      {
        DeploymentInstanceType: 'ml.g4dn.xlarge',
        OptimizationEnvironment: { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' },
      },
      /ml\.g4dn\.xlarge \(NVIDIA T4, compute capability 7\.5\).*fp8/,
    ],
    [
      'int8 on Blackwell',
      {
        DeploymentInstanceType: 'ml.p6-b200.48xlarge',
        OptimizationEnvironment: { OPTION_QUANTIZE: 'int8' },
      },
      /B200.*int8/,
    ],
    ['quantization for Neuron', { DeploymentInstanceType: 'ml.inf2.xlarge' }, /Inferentia2/],
    [
      'an unknown technique',
      { OptimizationEnvironment: { OPTION_QUANTIZE: 'magic' } },
      /OPTION_QUANTIZE.*magic/,
    ],
    [
      'a bad value',
      { OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', OPTION_RTN_BLOCK_SIZE: '77' } },
      /OPTION_RTN_BLOCK_SIZE.*77/,
    ],
    [
      'a reserved name',
      { OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', SM_NEO_CACHE_DIR: '/' } },
      /SM_NEO_CACHE_DIR is reserved/,
    ],
    [
      'an image',
      { OptimizationConfigs: [{ ModelQuantizationConfig: { Image: 'x/y' } }] },
      /OptimizationConfigs member 1: Image x\/y needs a container engine/,
    ],
    [
      'a key',
      { OutputConfig: { S3OutputLocation: 's3://models/o', KmsKeyId: 'k' } },
      /OutputConfig.KmsKeyId: Invalid keyId k/,
    ],
    [
      'a network',
      { VpcConfig: { SecurityGroupIds: ['sg-1'], Subnets: ['s-1'] } },
      /The subnet ID 's-1' does not exist/,
    ],
    [
      'a model of SageMaker',
      { ModelSource: { SageMakerModel: { ModelName: 'm' } } },
      /SageMakerModel is not supported/,
    ],
    [
      'a waiting limit below the runtime',
      { StoppingCondition: { MaxRuntimeInSeconds: 60, MaxWaitTimeInSeconds: 59 } },
      /MaxWaitTimeInSeconds \(59\) must not be below MaxRuntimeInSeconds \(60\)/,
    ],
    [
      'a runtime of over 28 days',
      { StoppingCondition: { MaxRuntimeInSeconds: 2_419_201 } },
      /28 days/,
    ],
    [
      'sharding with compilation',
      { OptimizationConfigs: [{ ModelShardingConfig: {} }, { ModelCompilationConfig: {} }] },
      /Sharding can’t be combined/,
    ],
    [
      'sharding without a degree',
      { OptimizationConfigs: [{ ModelShardingConfig: {} }] },
      /OPTION_TENSOR_PARALLEL_DEGREE/,
    ],
    [
      'a missing bucket',
      { ModelSource: { S3: { S3Uri: 's3://no-such-bucket/m' } } },
      /ModelSource\.S3\.S3Uri.*no-such-bucket/,
    ],
    [
      'a missing prefix',
      { ModelSource: { S3: { S3Uri: 's3://models/nothing' } } },
      /no object at s3:\/\/models\/nothing/,
    ],
    [
      'a path out of the bucket',
      { ModelSource: { S3: { S3Uri: 's3://models/../../etc' } } },
      /ModelSource\.S3\.S3Uri/,
    ],
    [
      'an output in the source',
      { OutputConfig: { S3OutputLocation: 's3://models/source/out' } },
      /inside the model source/,
    ],
    ['a full output', { OutputConfig: { S3OutputLocation: 's3://models' } }, /S3OutputLocation/],
    [
      'a tag given twice',
      {
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'a', Value: '2' },
        ],
      },
      /more than once/,
    ],
  ])('%s', async (_, change, message) => {
    await expect(create('refused', change)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(message),
    });
  });
});

describe('the wire', () => {
  const target = (name: string) => ({ 'x-amz-target': `SageMaker.${name}` });

  it('answers with a request id, AWS’s content type and error body', async () => {
    const response = await signedFetch(service, {
      headers: target('CreateOptimizationJob'),
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1');
    const body = (await response.json()) as { __type: string; message: string };
    expect(body.__type).toBe('ValidationException');
    expect(body.message).toMatch(/^7 validation errors detected: Value null at /);
  });

  it.each([
    ['broken JSON', 'CreateOptimizationJob', '{"a":', 400, 'SerializationException'],
    [
      'bytes that are not UTF-8',
      'ListOptimizationJobs',
      Buffer.from([0x22, 0xff, 0x22]),
      400,
      'SerializationException',
    ],
    ['a list for the body', 'ListOptimizationJobs', '[]', 400, 'SerializationException'],
    [
      'a wrong JSON type',
      'ListOptimizationJobs',
      '{"MaxResults":"5"}',
      400,
      'SerializationException',
    ],
    ['an unknown operation', 'CreateMagic', '{}', 400, 'UnknownOperationException'],
    [
      'a huge body',
      'ListOptimizationJobs',
      `"${'x'.repeat(2_000_000)}"`,
      413,
      'RequestEntityTooLargeException',
    ],
    ['deep JSON', 'ListOptimizationJobs', '['.repeat(500_000), 400, 'SerializationException'],
  ])('%s', async (_, operation, body, status, code) => {
    const response = await signedFetch(service, { headers: target(operation), body });
    expect(response.status).toBe(status);
    expect(((await response.json()) as { __type: string }).__type).toBe(code);
  });

  it('takes a missing target as an unknown operation', async () => {
    const response = await signedFetch(service, { headers: {}, body: '{}' });
    expect(((await response.json()) as { __type: string }).__type).toBe(
      'UnknownOperationException',
    );
  });

  it('ignores members that it does not know', async () => {
    const body = JSON.stringify({ Unknown: { a: [1] }, MaxResults: 1 });
    const response = await signedFetch(service, { headers: target('ListOptimizationJobs'), body });
    expect(response.status).toBe(200);
  });

  it('writes timestamps as seconds since the epoch', async () => {
    await create('timed');
    const body = JSON.stringify({ OptimizationJobName: 'timed' });
    const response = await signedFetch(service, {
      headers: target('DescribeOptimizationJob'),
      body,
    });
    const { CreationTime } = (await response.json()) as { CreationTime: number };
    expect(Math.abs(CreationTime - Date.now() / 1000)).toBeLessThan(60);
  });

  it.each([
    ['no signature', {}, 'MissingAuthenticationTokenException'],
    [
      'a malformed one',
      { authorization: 'AWS4-HMAC-SHA256 nonsense' },
      'IncompleteSignatureException',
    ],
  ])('refuses %s', async (_, headers, code) => {
    const response = await fetch(service.url, {
      method: 'POST',
      headers: { ...target('ListOptimizationJobs'), ...headers },
      body: '{}',
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { __type: string }).__type).toBe(code);
  });

  it('refuses an unknown key, a wrong secret and a changed body', async () => {
    const headers = target('ListOptimizationJobs');
    const codeOf = async (response: Response) =>
      ((await response.json()) as { __type: string }).__type;
    const { accessKeyId, secretAccessKey } = service.credentials;
    const unknown = { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey };
    expect(
      await codeOf(
        await signedFetch({ ...service, credentials: unknown }, { headers, body: '{}' }),
      ),
    ).toBe('UnrecognizedClientException');
    const wrong = { accessKeyId, secretAccessKey: `${secretAccessKey}x` };
    expect(
      await codeOf(await signedFetch({ ...service, credentials: wrong }, { headers, body: '{}' })),
    ).toBe('InvalidSignatureException');
    expect(
      await codeOf(await signedFetch(service, { headers, body: '{}', sendInstead: '{ }' })),
    ).toBe('InvalidSignatureException');
  });
});

describe('the pages for whoever watches', () => {
  const page = async (path: string) => (await fetch(`${service.url}${path}`)).text();

  it('say that the service is there and ready', async () => {
    expect(await page('/healthz')).toBe('ok\n');
    expect(await page('/readyz')).toBe('ready\n');
  });

  it('count jobs, their times and requests', async () => {
    await create('counted');
    await service.ended('counted');
    const metrics = await page('/metrics');
    expect(metrics).toMatch(/^burnish_jobs\{status="FAILED"\} [1-9]/m);
    expect(metrics).toMatch(/^burnish_job_queue_wait_seconds_count [1-9]/m);
    expect(metrics).toMatch(/^burnish_job_duration_seconds_count\{status="FAILED"\} [1-9]/m);
    expect(metrics).toMatch(
      /^burnish_request_duration_seconds_count\{protocol="json",status="200"\} [1-9]/m,
    );
    expect(metrics).toMatch(/^burnish_process_resident_memory_bytes [1-9]/m);
    expect(metrics).toMatch(/^burnish_errors_total\{what="job"\} [1-9]/m);
    expect(metrics).toMatch(/^burnish_staged_bytes_total \d/m);
    expect(metrics).toMatch(/^burnish_published_bytes_total \d/m);
    expect(metrics).toMatch(/^burnish_job_cores\{of="capacity"\} [1-9]/m);
    expect(metrics).toMatch(/^burnish_job_memory_bytes\{of="given"\} \d/m);
  });
});

describe('a restart', () => {
  it('keeps the record and the access key', async () => {
    await create('kept');
    await service.ended('kept');
    await service.restart();
    const job = await service.sagemaker.send(
      new DescribeOptimizationJobCommand({ OptimizationJobName: 'kept' }),
    );
    expect(job.OptimizationJobStatus).toBe('FAILED');
  });

  it('lets no second service onto the same data folder', async () => {
    await expect(startTestService({ dataDir: service.dataDir })).rejects.toThrow(service.dataDir);
  });
});
