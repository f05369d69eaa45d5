import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ApiException,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  loadAllYaml,
} from '@kubernetes/client-node';

const MANIFEST = fileURLToPath(new URL('../../../deploy/kubernetes/rbac.yaml', import.meta.url));
export const NAMESPACE = 'burnish';
export const CLAIM = 'burnish-data';

/** The cluster of `npm run test:kubernetes`, as its administrator. */
export function administrator(): KubeConfig {
  const file = process.env.BURNISH_TEST_KUBERNETES;
  if (file === undefined) {
    throw new Error('These tests need a Kubernetes: run them with npm run test:kubernetes.');
  }
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

/** Makes a volume that is a folder of this machine. */
export async function prepareVolume(folder: string): Promise<void> {
  const core = administrator().makeApiClient(CoreV1Api);
  const capacity = { storage: '1Gi' };
  await core.createPersistentVolume({
    body: {
      metadata: { name: CLAIM },
      spec: {
        capacity,
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        hostPath: { path: folder },
        claimRef: { namespace: NAMESPACE, name: CLAIM },
      },
    },
  });
  await core.createNamespacedPersistentVolumeClaim({
    namespace: NAMESPACE,
    body: {
      metadata: { name: CLAIM },
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        volumeName: CLAIM,
        resources: { requests: capacity },
      },
    },
  });
}

/** Makes the Secret with which pods reach an S3 endpoint. */
export async function prepareSecret(
  name: string,
  { accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string },
): Promise<void> {
  const core = administrator().makeApiClient(CoreV1Api);
  const stringData = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const body = { metadata: { name }, stringData };
  await core.createNamespacedSecret({ namespace: NAMESPACE, body });
}

/**
 * Makes the namespace that the manifest is for, where another suite has not yet.
 *
 * @param folder where to put the kubeconfig
 * @returns a kubeconfig that may do what the manifest lets the service do, and nothing else
 */
export async function prepareNamespace(folder: string): Promise<string> {
  const config = administrator();
  const core = config.makeApiClient(CoreV1Api);
  const objects = KubernetesObjectApi.makeApiClient(config);
  await unlessThere(core.createNamespace({ body: { metadata: { name: NAMESPACE } } }));
  for (const object of loadAllYaml(await readFile(MANIFEST, 'utf8'))) {
    await unlessThere(objects.create(object));
  }
  const { status } = await core.createNamespacedServiceAccountToken({
    namespace: NAMESPACE,
    name: 'burnish',
    body: {
      spec: { audiences: ['https://kubernetes.default.svc'], expirationSeconds: 7200 },
    } as Parameters<CoreV1Api['createNamespacedServiceAccountToken']>[0]['body'],
  });
  const file = join(folder, 'service.kubeconfig');
  const { server = '' } = config.getCurrentCluster() ?? {};
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'service', user: { token: status?.token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'service' } }],
      'current-context': 'test',
    }),
  );
  return file;
}

/** Takes the pod of a job's step away, as a drained node does. */
export async function evict(job: string): Promise<void> {
  const core = administrator().makeApiClient(CoreV1Api);
  const labelSelector = `burnish.dev/job=${job}`;
  const { items } = await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector });
  const name = items[0]?.metadata?.name ?? '';
  const body = { metadata: { name } };
  await core.createNamespacedPodEviction({ namespace: NAMESPACE, name, body });
}

async function unlessThere(creating: Promise<unknown>): Promise<void> {
  try {
    await creating;
  } catch (error) {
    if (!(error instanceof ApiException && error.code === 409)) throw error;
  }
}
