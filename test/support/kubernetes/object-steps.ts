import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { StepRequest } from '#burnish/executors/executor.js';
import type {
  KubernetesOptions,
  ObjectStorage,
} from '#burnish/executors/kubernetes/kubernetes-options.js';
import { type StepFolders, stepFolders } from '#burnish/executors/step-folders.js';
import { readResultObjects } from '#burnish/executors/step-objects.js';
import {
  openS3EndpointStore,
  type S3EndpointStore,
} from '#burnish/objects/s3-endpoint-store/s3-endpoint-store.js';
import { type RunningService, startTestService } from '../running-service.js';
import { NAMESPACE, prepareNamespace, prepareSecret } from './prepare-namespace.js';

export const IMAGE = 'burnish-test/step-program:1';
const BUCKET = 'models';

/** An S3 endpoint, and options for steps that read and write models there themselves. */
export interface ObjectSteps {
  readonly server: RunningService;
  readonly store: S3EndpointStore;
  readonly storage: ObjectStorage;
  readonly options: KubernetesOptions;
  /** Puts what is in a step's input folder into the store, and says so in its request. */
  ready(request: StepRequest): Promise<StepRequest>;
  /** The folders of a step where the stand-in node has them; undefined while it runs no pod of it. */
  foldersOf(request: StepRequest): Promise<StepFolders | undefined>;
  /** A folder with the result that a step has left in the store. */
  resultOf(request: StepRequest): Promise<string>;
}

/** @param secret the name of the Secret to make for its pods */
export async function prepareObjectSteps(folder: string, secret: string): Promise<ObjectSteps> {
  const kubeconfig = await prepareNamespace(folder);
  // Any S3 store would do; this one is at hand.
  const server = await startTestService();
  await server.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await prepareSecret(secret, server.credentials);
  process.env.AWS_ACCESS_KEY_ID = server.credentials.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = server.credentials.secretAccessKey;
  const endpoint = { endpoint: server.url, region: 'us-east-1', pathStyle: true };
  const store = await openS3EndpointStore(endpoint);
  const storage: ObjectStorage = {
    kind: 's3',
    ...endpoint,
    podEndpoint: server.url,
    staging: { bucket: BUCKET, key: 'staging' },
    credentialsSecret: secret,
    serviceAccount: undefined,
    cidrs: ['127.0.0.0/8'],
    scratch: undefined,
  };
  return {
    server,
    store,
    storage,
    options: {
      kubeconfig,
      context: undefined,
      namespace: NAMESPACE,
      storage,
      optimizerImage: 'burnish-test/burnish:1',
      imageMappings: [],
      imagePullSecrets: [],
      user: '0:0',
      instances: [],
      enforcesNetworkPolicies: true,
      networks: [],
      cpus: 1,
      memoryBytes: 256 * 1024 ** 2,
      hopelessMs: 60_000,
    },

    async ready(request) {
      const prefix = `sources/${request.job}`;
      const model = [];
      for (const name of await readdir(request.inputFolder)) {
        const Body = await readFile(join(request.inputFolder, name));
        const key = `${prefix}/${name}`;
        await server.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body }));
        const { size, etag } = await store.head(BUCKET, key);
        model.push({ name, bucket: BUCKET, key, size, etag });
      }
      const objects = {
        model,
        uri: `s3://${BUCKET}/${prefix}`,
        termsFiles: undefined,
        datasets: {},
        encryption: undefined,
      };
      return { ...request, objects };
    },

    async foldersOf({ job, step }) {
      const pods = join(process.env.BURNISH_TEST_KUBERNETES_VOLUMES ?? '', job);
      const [pod] = await readdir(pods).catch(() => []);
      if (pod === undefined) return undefined;
      const errorFile = join(pods, pod, 'last-word-of-step');
      return { ...stepFolders(join(pods, pod, 'data'), step), errorFile };
    },

    async resultOf({ folders }) {
      const target = join(folders.root, 'result');
      await mkdir(target);
      await store.stageObjects((await readResultObjects(folders)) ?? [], target);
      return target;
    },
  };
}
