import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import {
  CreateOptimizationJobCommand,
  type CreateOptimizationJobCommandInput,
  type CreateOptimizationJobCommandOutput,
  type DescribeOptimizationJobCommandOutput,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { DEFAULT_CONFIGURATION, type ServiceConfiguration } from '#burnish/server/configuration.js';
import { type Service, startService } from '#burnish/server/service.js';
import { temporaryFolder } from './temporary-folder.js';
import { untilEnded } from './until-ended.js';

export interface RunningService {
  readonly url: string;
  readonly dataDir: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly sagemaker: SageMakerClient;
  readonly s3: S3Client;
  /** Asks for a job: the built-in optimizer rounds `s3://models/source` and leaves what comes of it at
   * `s3://models/NAME`, unless the change says otherwise. */
  create(
    name: string,
    change?: Partial<CreateOptimizationJobCommandInput>,
  ): Promise<CreateOptimizationJobCommandOutput>;
  /** The folder of what a job left. */
  outputOf(name: string): string;
  /** Waits until a job has ended. */
  ended(name: string): Promise<DescribeOptimizationJobCommandOutput>;
  /** Stops the service and starts it again on the same data folder and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const QUANTIZATION = {
  RoleArn: 'arn:aws:iam::000000000000:role/burnish-execution',
  ModelSource: { S3: { S3Uri: 's3://models/source' } },
  DeploymentInstanceType: 'ml.g5.xlarge',
  OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn' },
  OptimizationConfigs: [{ ModelQuantizationConfig: {} }],
  StoppingCondition: {},
} satisfies Partial<CreateOptimizationJobCommandInput>;

/** What a job's report says. */
export async function reportOf(service: RunningService, name: string) {
  return JSON.parse(
    await readFile(join(service.outputOf(name), 'optimization-report.json'), 'utf8'),
  );
}

/** Starts a service on a free port with a data folder of its own, and the AWS SDK's clients for it. */
export async function startTestService(
  change: Partial<ServiceConfiguration> = {},
): Promise<RunningService> {
  const dataDir = change.dataDir ?? temporaryFolder('service');
  const configuration: ServiceConfiguration = {
    ...DEFAULT_CONFIGURATION,
    port: 0,
    logLevel: 'silent',
    ...change,
    dataDir,
  };
  let service: Service = await startService(configuration);
  const credentials = await readCredentials(dataDir);
  const client = { endpoint: service.url, region: 'us-east-1', credentials, maxAttempts: 1 };
  const sagemaker = new SageMakerClient(client);
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  return {
    url: service.url,
    dataDir,
    credentials,
    sagemaker,
    s3,
    create: (name, change) =>
      sagemaker.send(
        new CreateOptimizationJobCommand({
          ...QUANTIZATION,
          OptimizationJobName: name,
          OutputConfig: { S3OutputLocation: `s3://models/${name}` },
          ...change,
        }),
      ),
    outputOf: (name) => join(dataDir, 'buckets', 'models', name),
    ended: (name) => untilEnded(sagemaker, name, 25),
    async restart() {
      const port = Number(new URL(service.url).port);
      await service.close();
      service = await startService({ ...configuration, port });
    },
    async close() {
      sagemaker.destroy();
      s3.destroy();
      await service.close();
    },
  };
}

async function readCredentials(dataDir: string) {
  const text = await readFile(join(dataDir, 'credentials'), 'utf8');
  const value = (name: string) => new RegExp(`${name} = (.+)`).exec(text)?.[1] ?? '';
  return {
    accessKeyId: value('aws_access_key_id'),
    secretAccessKey: value('aws_secret_access_key'),
  };
}
