import {
  ApiException,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  Log,
  NetworkingV1Api,
  Watch,
} from '@kubernetes/client-node';
import type { KubernetesOptions } from './kubernetes-options.js';

/** The cluster as the executor speaks to it, in its one namespace. */
export interface Cluster {
  readonly namespace: string;
  readonly jobs: BatchV1Api;
  readonly pods: CoreV1Api;
  readonly policies: NetworkingV1Api;
  readonly watch: Watch;
  readonly log: Log;
}

/** @throws an error when the kubeconfig can't be read, or names no such context */
export function connectCluster({
  kubeconfig,
  context,
  namespace,
}: Pick<KubernetesOptions, 'kubeconfig' | 'context' | 'namespace'>): Cluster {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  if (context !== undefined) config.setCurrentContext(context);
  return {
    namespace,
    jobs: config.makeApiClient(BatchV1Api),
    pods: config.makeApiClient(CoreV1Api),
    policies: config.makeApiClient(NetworkingV1Api),
    watch: new Watch(config),
    log: new Log(config),
  };
}

/** The HTTP status of an error of the API; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  if (error instanceof ApiException) return error.code;
  if (error instanceof Error && 'statusCode' in error) return Number(error.statusCode);
  return undefined;
}

/** What the API says of an error, in one line. */
export function apiMessage(error: unknown): string {
  if (error instanceof ApiException) {
    try {
      const { message } = JSON.parse(String(error.body)) as { message?: unknown };
      if (typeof message === 'string') return message;
    } catch {
      // No Status object; the HTTP status has to do.
    }
    return `HTTP status ${error.code}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** Does what may be done already: nothing there is fine. */
export async function unlessGone(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
