import { loadOrCreateMasterKey, type MasterKey } from '../encryption/master-key.js';
import { NamedKeys } from '../encryption/named-keys.js';
import { type EmbeddedStore, openEmbeddedStore } from '../objects/embedded-store/embedded-store.js';
import type { ObjectStore } from '../objects/object-store.js';
import { type ObjectLocation, parseS3Uri } from '../objects/s3-uri.js';
import type { ServiceConfiguration } from './configuration.js';
import { masterKeySources } from './master-key-sources.js';
import type { OpenRecord } from './open-record.js';

/** Where objects are, and what they are encrypted under. */
export interface OpenStorage {
  readonly masterKey: MasterKey;
  readonly embedded: EmbeddedStore;
  /** Where models come from and go to: the configured S3 endpoint, or else the embedded store. */
  readonly objects: ObjectStore;
  /** Which place an S3 URI names; throws InvalidS3UriError. */
  readonly locate: (uri: string) => ObjectLocation;
  /** The keys of `objects`; undefined at an S3 endpoint, whose own KMS knows its keys and says so when the
   * artifacts are published. */
  readonly kmsKeys: NamedKeys | undefined;
}

/** Opens the master key, the named keys and the stores, and removes what earlier processes left of both. */
export async function openStorage(
  configuration: ServiceConfiguration,
  { store, shared }: OpenRecord,
): Promise<OpenStorage> {
  const { dataDir, accountId, region } = configuration;
  const masterKey = await loadOrCreateMasterKey(dataDir, masterKeySources());
  const namedKeys = new NamedKeys(store.keys, masterKey, { region, accountId });
  await namedKeys.removeDue();
  const embedded = await openEmbeddedStore(dataDir, namedKeys);
  await embedded.reclaim({ shared });
  const { objects, endpointHosts } = await modelStore(configuration, embedded);
  return {
    masterKey,
    embedded,
    objects,
    locate: (uri) => parseS3Uri(uri, { endpointHosts }),
    kmsKeys: objects === embedded ? namedKeys : undefined,
  };
}

async function modelStore(
  { s3Endpoint }: ServiceConfiguration,
  embedded: ObjectStore,
): Promise<{ readonly objects: ObjectStore; readonly endpointHosts: readonly string[] }> {
  if (s3Endpoint === undefined) return { objects: embedded, endpointHosts: [] };
  const { openS3EndpointStore } = await import('../objects/s3-endpoint-store/s3-endpoint-store.js');
  return {
    objects: await openS3EndpointStore(s3Endpoint),
    endpointHosts: [new URL(s3Endpoint.endpoint).host],
  };
}
