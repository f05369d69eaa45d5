import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoreV1Api, KubeConfig, KubernetesObjectApi, loadAllYaml } from '@kubernetes/client-node';

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

/**
 * Makes the namespace that the manifest is for, with a volume that is a folder of this machine.
 * @returns a kubeconfig that may do what the manifest lets the service do, and nothing else
 */
export async function prepareNamespace(folder: string): Promise<string> {
  const config = administrator();
  const core = config.makeApiClient(CoreV1Api);
  const objects = KubernetesObjectApi.makeApiClient(config);
  await core.createNamespace({ body: { metadata: { name: NAMESPACE } } });
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
  for (const object of loadAllYaml(await readFile(MANIFEST, 'utf8'))) await objects.create(object);
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
