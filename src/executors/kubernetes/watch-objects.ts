import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { type Cluster, statusOf } from './cluster.js';

/** How long before a watch that broke is begun again, in milliseconds. */
const RETRY_MS = 1_000;
/** The server ends a watch after this time, in seconds, so that a dead connection is noticed. */
const WATCH_SECONDS = 240;
/** Longer than that nothing comes of a watch, in milliseconds. */
const SILENCE_MS = (WATCH_SECONDS + 30) * 1000;
/** The resource version is too old to go on from; HTTP's 410. */
const GONE = 410;

export interface ObjectList<T> {
  readonly metadata?: { readonly resourceVersion?: string | undefined } | undefined;
  readonly items: readonly T[];
}

export interface Watched<T extends KubernetesObject> {
  /** Where the objects are listed, as a path of the API. */
  readonly path: string;
  /** Which of them: as the API's selectors. */
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  list(): Promise<ObjectList<T>>;
  /** Told of every object as it is now, and of those that are gone. */
  onObject(object: T, gone: boolean): void;
  /** Told that the API does not answer, or answers something else. */
  onTrouble(error: unknown): void;
}

/**
 * Follows objects until the signal is aborted: lists them once, and watches from there. A watch that
 * breaks is taken up from the last version that was seen; where the server has forgotten that one (410
 * Gone), the objects are listed anew, and what is missing then is reported gone.
 *
 * Source: "Efficient detection of changes" in the Kubernetes API concepts.
 */
export async function watchObjects<T extends KubernetesObject>(
  cluster: Cluster,
  watched: Watched<T>,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, T>();
  let version: string | undefined;
  while (!signal.aborted) {
    try {
      if (version === undefined) version = await listAnew(watched, known);
      version = await watchFrom(cluster, watched, known, version, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (statusOf(error) === GONE) {
        version = undefined;
        continue;
      }
      watched.onTrouble(error);
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function listAnew<T extends KubernetesObject>(
  watched: Watched<T>,
  known: Map<string, T>,
): Promise<string> {
  const { items, metadata } = await watched.list();
  const present = new Set(items.map(nameOf));
  for (const [name, object] of known) {
    if (present.has(name)) continue;
    known.delete(name);
    watched.onObject(object, true);
  }
  for (const object of items) {
    known.set(nameOf(object), object);
    watched.onObject(object, false);
  }
  return metadata?.resourceVersion ?? '0';
}

/** @returns the version to go on from when the watch has ended */
function watchFrom<T extends KubernetesObject>(
  { watch }: Cluster,
  { path, labelSelector, fieldSelector, onObject }: Watched<T>,
  known: Map<string, T>,
  from: string,
  signal: AbortSignal,
): Promise<string> {
  const query = {
    labelSelector,
    fieldSelector,
    resourceVersion: from,
    timeoutSeconds: WATCH_SECONDS,
    allowWatchBookmarks: true,
  };
  return new Promise((resolve, reject) => {
    let version = from;
    let controller: AbortController | undefined;
    let silence: NodeJS.Timeout | undefined;
    let settled = false;
    const end = (error?: unknown) => {
      if (settled) return;
      settled = true;
      clearTimeout(silence);
      signal.removeEventListener('abort', onAbort);
      controller?.abort();
      if (error === undefined || error === null) resolve(version);
      else reject(error);
    };
    const onAbort = () => end(signal.reason);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => end(new Error('the watch fell silent')), SILENCE_MS).unref();
    };
    const onEvent = (
      phase: string,
      object: T & { readonly code?: number; readonly message?: string },
    ) => {
      if (settled) return;
      heard();
      if (phase === 'ERROR') {
        end(Object.assign(new Error(object.message ?? 'watch error'), { statusCode: object.code }));
        return;
      }
      version = object.metadata?.resourceVersion ?? version;
      if (phase === 'BOOKMARK') return;
      const gone = phase === 'DELETED';
      if (gone) known.delete(nameOf(object));
      else known.set(nameOf(object), object);
      onObject(object, gone);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    heard();
    watch.watch(path, query, onEvent, end).then((started) => {
      controller = started;
      if (settled) started.abort();
    }, end);
  });
}

const nameOf = (object: KubernetesObject): string => object.metadata?.name ?? '';
