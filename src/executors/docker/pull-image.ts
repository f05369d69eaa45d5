import type Docker from 'dockerode';
import { ExecutorError } from '../executor.js';
import type { ImageRecord } from '../images/image-record.js';
import { mapImage, parseImageReference } from '../images/image-reference.js';
import { findCredentials } from '../images/registry-credentials.js';
import type { LocalImage } from './container-options.js';
import type { DockerOptions } from './docker-options.js';
import { statusOf } from './engine.js';

/** How often the log hears of a pull, in milliseconds. */
const REPORT_MS = 5_000;

type PullOptions = Pick<DockerOptions, 'imageMappings' | 'credentials' | 'pull'>;

/**
 * Makes sure that the engine has an image, and says which one it is.
 *
 * @param note takes a line for the job's log
 * @throws ExecutorError when it can't be had, with the engine's reason
 */
export async function ensureImage(
  engine: Docker,
  image: string,
  options: PullOptions,
  note: (line: string) => Promise<void>,
  signal: AbortSignal,
): Promise<{ readonly local: LocalImage; readonly record: ImageRecord }> {
  const name = mapImage(image, options.imageMappings);
  const reference = parseImageReference(name);
  const pulledAs =
    reference.tag === undefined && reference.digest === undefined ? `${name}:latest` : name;
  const present = await inspectImage(engine, pulledAs);
  if (options.pull === 'always' || (present === undefined && options.pull === 'missing')) {
    await note(`pulling ${pulledAs}`);
    const authconfig = await findCredentials(reference.registry, options.credentials);
    try {
      await pull(engine, pulledAs, authconfig, note, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new ExecutorError(`The image ${pulledAs} can’t be pulled: ${(error as Error).message}`);
    }
  }
  const inspected = await inspectImage(engine, pulledAs);
  if (inspected === undefined) {
    throw new ExecutorError(
      `The container engine does not have the image ${pulledAs}, and is configured not to pull any (executor.docker.pull).`,
    );
  }
  const { Id: id, RepoDigests: digests, Config: config } = inspected;
  const digest = digests?.find((entry) => sameRepository(entry, pulledAs))?.split('@')[1] ?? null;
  await note(`image ${pulledAs}, ${digest ?? id}`);
  return {
    local: { id, name: pulledAs, labels: config?.Labels ?? {} },
    record: { image, pulledAs, digest, id },
  };
}

async function inspectImage(engine: Docker, name: string) {
  try {
    return await engine.getImage(name).inspect();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw new ExecutorError(
      `The container engine can’t be asked for the image ${name}: ${(error as Error).message}`,
    );
  }
}

function sameRepository(digest: string, name: string): boolean {
  const one = parseImageReference(digest);
  const other = parseImageReference(name);
  return one.registry === other.registry && one.repository === other.repository;
}

/** A line of the engine's answer to a pull. */
interface PullEvent {
  readonly id?: string;
  readonly status?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

async function pull(
  engine: Docker,
  name: string,
  authconfig: object | undefined,
  note: (line: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const stream = await engine.pull(name, { authconfig, abortSignal: signal });
  const layers = new Map<string, { current: number; total: number; done: boolean }>();
  let reported = Date.now();
  const onEvent = ({ id, status, progressDetail }: PullEvent) => {
    if (id === undefined || status === undefined) return;
    const layer = layers.get(id) ?? { current: 0, total: 0, done: false };
    if (status === 'Pull complete' || status === 'Already exists') layer.done = true;
    if (status === 'Downloading') {
      layer.current = progressDetail?.current ?? layer.current;
      layer.total = progressDetail?.total ?? layer.total;
    }
    if (status === 'Download complete') layer.current = layer.total;
    layers.set(id, layer);
    if (Date.now() - reported < REPORT_MS) return;
    reported = Date.now();
    void note(describe(name, [...layers.values()]));
  };
  await new Promise<void>((resolve, reject) => {
    const onFinished = (error: Error | null) => (error === null ? resolve() : reject(error));
    engine.modem.followProgress(stream, onFinished, onEvent);
  });
  await note(`pulled ${name}`);
}

function describe(
  name: string,
  layers: readonly { readonly current: number; readonly total: number; readonly done: boolean }[],
): string {
  const done = layers.filter((layer) => layer.done).length;
  const megabytes = (key: 'current' | 'total') =>
    (layers.reduce((sum, layer) => sum + layer[key], 0) / 1e6).toFixed(0);
  return `pulling ${name}: ${done} of ${layers.length} layers done, ${megabytes('current')} of ${megabytes('total')} MB downloaded`;
}
