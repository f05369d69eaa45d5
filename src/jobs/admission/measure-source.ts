import type { ObjectStore } from '../../objects/object-store.js';
import type { ObjectLocation } from '../../objects/s3-uri.js';

/** A model's source as its listing and its configuration show it, without any weight being read. */
export interface SourceMeasure {
  /** All objects. */
  readonly bytes: number;
  /** Of safetensors files, as they are stored. */
  readonly weightBytes: number;
  /** Whether it is one archive, whose content is not known yet. */
  readonly archive: boolean;
  /** `config.json`, or what of it describes the language model; undefined where there is none. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
}

/** Far more files than a checkpoint has. */
const MAX_PAGES = 20;

/** As the optimizer takes it; a configuration is a few kilobytes. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * Looks at a source through the object store: one listing and one small read.
 * @throws ObjectStoreError
 */
export async function measureSource(
  objects: ObjectStore,
  { bucket, key }: ObjectLocation,
  signal: AbortSignal,
): Promise<SourceMeasure> {
  const prefix = key === '' ? '' : `${key}/`;
  let bytes = 0;
  let weightBytes = 0;
  let config: SourceMeasure['config'];
  let startAfter: string | undefined = '';
  for (let page = 0; page < MAX_PAGES && startAfter !== undefined; page += 1) {
    const listed = await objects.list(bucket, { prefix, startAfter, signal });
    for (const object of listed.objects) {
      bytes += object.size;
      if (object.key.endsWith('.safetensors')) weightBytes += object.size;
      if (object.key === `${prefix}config.json` && object.size <= MAX_CONFIG_BYTES) {
        config = await readConfig(objects, bucket, object.key, signal);
      }
    }
    startAfter = listed.nextStartAfter;
  }
  if (bytes > 0 || key === '') return { bytes, weightBytes, archive: false, config };
  const { size } = await objects.head(bucket, key, { signal });
  return { bytes: size, weightBytes: size, archive: true, config: undefined };
}

async function readConfig(
  objects: ObjectStore,
  bucket: string,
  key: string,
  signal: AbortSignal,
): Promise<SourceMeasure['config']> {
  const { body } = await objects.read(bucket, key, { signal });
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  try {
    const config: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (config === null || typeof config !== 'object') return undefined;
    const inner = 'text_config' in config ? config.text_config : undefined;
    return (inner !== null && typeof inner === 'object' ? inner : config) as Record<
      string,
      unknown
    >;
  } catch {
    // The step says what is wrong with it.
    return undefined;
  }
}
