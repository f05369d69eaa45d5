import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { isArchiveKey, unpackArchive } from '../archive.js';
import { compareUtf8 } from '../byte-order.js';
import { LocationNotEmptyError, NothingAtLocationError, ObjectStoreError } from '../errors.js';
import type {
  Body,
  Cancellable,
  ListOptions,
  ListPage,
  NamedObject,
  ObjectHeaders,
  ObjectInfo,
  ObjectStore,
  ObjectSummary,
  ObjectVersion,
  PublishOptions,
  ReadObject,
  ReadOptions,
  StagedFolder,
  StageOptions,
  WriteOptions,
} from '../object-store.js';
import { PARTIAL_FOLDER } from '../partial-results.js';
import { formatS3Uri, type ObjectLocation } from '../s3-uri.js';
import { downloadRange } from './downloading.js';
import { asking, type Endpoint, openEndpoint, type S3EndpointConfig } from './endpoint.js';
import { encryptionHeaders, uploadFolder } from './publishing.js';
import { downloadFolder } from './staging.js';
import { hearingFaults } from './transient-faults.js';

/** Opens a store at any S3 endpoint. The SDK is loaded now, and only now. */
export async function openS3EndpointStore(config: S3EndpointConfig): Promise<S3EndpointStore> {
  return new S3EndpointStore(await openEndpoint(config));
}

/** Behind it no key with the same beginning sorts. */
const LAST_CHARACTER = '\u{10ffff}';

/** The objects of an S3 endpoint: Amazon S3, or what speaks its protocol. */
export class S3EndpointStore implements ObjectStore {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async headBucket(bucket: string, options: Cancellable = {}): Promise<void> {
    const { client, sdk } = this.#endpoint;
    await asking(this.#endpoint, bucket, '', () =>
      client.send(new sdk.HeadBucketCommand({ Bucket: bucket }), abortable(options)),
    );
  }

  async list(bucket: string, options: ListOptions = {}): Promise<ListPage> {
    const { client, sdk } = this.#endpoint;
    const page = await asking(this.#endpoint, bucket, '', () =>
      client.send(
        new sdk.ListObjectsV2Command({
          Bucket: bucket,
          Prefix: options.prefix,
          Delimiter: options.delimiter,
          StartAfter: options.startAfter,
          MaxKeys: options.maxKeys,
        }),
        abortable(options),
      ),
    );
    const objects = (page.Contents ?? []).map((object) => ({
      key: object.Key ?? '',
      size: object.Size ?? 0,
      lastModified: object.LastModified ?? new Date(0),
      etag: unquoted(object.ETag),
    }));
    const commonPrefixes = (page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix ?? '');
    const ends = [objects.at(-1)?.key ?? ''];
    const lastPrefix = commonPrefixes.at(-1);
    // S3 would give a common prefix again for the keys behind it, so the next page begins behind those.
    if (lastPrefix !== undefined) ends.push(lastPrefix + LAST_CHARACTER);
    return {
      objects,
      commonPrefixes,
      ...(page.IsTruncated === true ? { nextStartAfter: ends.sort(compareUtf8).at(-1) ?? '' } : {}),
    };
  }

  async head(bucket: string, key: string, options: Cancellable = {}): Promise<ObjectInfo> {
    const { client, sdk } = this.#endpoint;
    const head = await asking(this.#endpoint, bucket, key, () =>
      client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }), abortable(options)),
    );
    return infoOf(key, head);
  }

  async read(bucket: string, key: string, options: ReadOptions = {}): Promise<ReadObject> {
    const info = await this.head(bucket, key, options);
    const range = options.range ?? { start: 0, end: info.size - 1 };
    const version = { bucket, key, size: info.size, etag: info.etag };
    return {
      info,
      body: Readable.from(downloadRange(this.#endpoint, version, range, options.signal)),
    };
  }

  async write(bucket: string, key: string, body: Body, options: WriteOptions): Promise<ObjectInfo> {
    const { client, sdk } = this.#endpoint;
    const { headers = {}, metadata = {}, expectedLength } = options;
    await asking(this.#endpoint, bucket, key, () =>
      client.send(
        new sdk.PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: Readable.from(body),
          ContentLength: expectedLength,
          ContentType: headers.contentType,
          CacheControl: headers.cacheControl,
          ContentDisposition: headers.contentDisposition,
          ContentEncoding: headers.contentEncoding,
          ContentLanguage: headers.contentLanguage,
          Metadata: metadata,
          ...encryptionHeaders(options.encryption),
        }),
        abortable(options),
      ),
    );
    return this.head(bucket, key, options);
  }

  async remove(bucket: string, key: string, options: Cancellable = {}): Promise<void> {
    const { client, sdk } = this.#endpoint;
    await asking(this.#endpoint, bucket, key, () =>
      client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }), abortable(options)),
    );
  }

  async exists(location: ObjectLocation, options: Cancellable = {}): Promise<boolean> {
    const prefix = prefixOf(location);
    const { objects } = await this.list(location.bucket, { ...options, prefix, maxKeys: 2 });
    if (!objects.every((object) => isMarker(object, prefix))) return true;
    return location.key !== '' && (await this.#find(location, options)) !== undefined;
  }

  async isEmpty(location: ObjectLocation, options: Cancellable = {}): Promise<boolean> {
    const prefix = prefixOf(location);
    const { objects, commonPrefixes } = await this.list(location.bucket, {
      ...options,
      ...{ prefix, delimiter: '/', maxKeys: 3 },
    });
    const partial = `${prefix}${PARTIAL_FOLDER}/`;
    return (
      objects.every((object) => isMarker(object, prefix)) &&
      commonPrefixes.every((found) => found === partial)
    );
  }

  async stageFolder(
    location: ObjectLocation,
    target: string,
    options: StageOptions = {},
  ): Promise<StagedFolder> {
    return hearingFaults(options.onFault, () => this.#stage(location, target, options));
  }

  async #stage(
    location: ObjectLocation,
    target: string,
    options: StageOptions,
  ): Promise<StagedFolder> {
    const single = location.key === '' ? undefined : await this.#find(location, options);
    if (single !== undefined && isArchiveKey(location.key)) {
      return this.#unpack(single, target, options);
    }
    const objects = this.#walk(location.bucket, prefixOf(location), options);
    const staged = await downloadFolder(this.#endpoint, objects, target, options);
    if (staged.files > 0) return staged;
    throw new NothingAtLocationError(
      location,
      single === undefined
        ? undefined
        : 'it is a single object; name the folder of a model, or a .tar.gz',
    );
  }

  /**
   * Makes a folder of versions of objects; one that was replaced meanwhile is an error. A single one without
   * a name is an archive, and is unpacked.
   */
  async stageObjects(
    objects: readonly NamedObject[],
    target: string,
    options: StageOptions = {},
  ): Promise<StagedFolder> {
    const [only] = objects;
    return hearingFaults(options.onFault, () =>
      only !== undefined && objects.length === 1 && only.name === ''
        ? this.#unpack(only, target, options)
        : downloadFolder(this.#endpoint, objects, target, options),
    );
  }

  #unpack(archive: ObjectVersion, target: string, options: StageOptions): Promise<StagedFolder> {
    const whole = { start: 0, end: archive.size - 1 };
    const bytes = downloadRange(this.#endpoint, archive, whole, options.signal);
    return unpackArchive(Readable.from(bytes), formatS3Uri(archive), target, options);
  }

  /** Uploads the folder, and removes it from this machine when all of it is published. */
  async publishFolder(
    folder: string,
    location: ObjectLocation,
    options: PublishOptions = {},
  ): Promise<void> {
    await hearingFaults(options.onFault, async () => {
      if (!(await this.#mayPublish(folder, location, options))) {
        throw new LocationNotEmptyError(location);
      }
      await uploadFolder(this.#endpoint, folder, location, options);
    });
    await rm(folder, { recursive: true, force: true });
  }

  /** Whether there is nothing at the location, or nothing but leftovers of publishing the folder. */
  async #mayPublish(
    folder: string,
    location: ObjectLocation,
    options: PublishOptions,
  ): Promise<boolean> {
    if (options.interrupted !== true) return this.isEmpty(location, options);
    const prefix = prefixOf(location);
    const copied = new Set(options.copies?.map(({ name }) => name));
    for await (const { name } of this.#walk(location.bucket, prefix, options)) {
      if (name.startsWith(`${PARTIAL_FOLDER}/`) || copied.has(name)) continue;
      if (!existsSync(join(folder, name))) return false;
    }
    return true;
  }

  /** The object of that very key, if there is one. */
  async #find(location: ObjectLocation, options: Cancellable): Promise<ObjectVersion | undefined> {
    const { bucket, key } = location;
    try {
      const { size, etag } = await this.head(bucket, key, options);
      return { bucket, key, size, etag };
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async *#walk(bucket: string, prefix: string, options: Cancellable): AsyncGenerator<NamedObject> {
    let startAfter: string | undefined;
    do {
      const page: ListPage = await this.list(bucket, {
        ...options,
        prefix,
        ...(startAfter === undefined ? {} : { startAfter }),
      });
      for (const { key, size, etag } of page.objects) {
        yield { bucket, key, size, etag, name: key.slice(prefix.length) };
      }
      startAfter = page.nextStartAfter;
    } while (startAfter !== undefined);
  }
}

/** The empty object that some clients put where a folder is makes it no less empty. */
function isMarker({ key, size }: ObjectSummary, prefix: string): boolean {
  return key === prefix && size === 0;
}

function prefixOf(location: ObjectLocation): string {
  return location.key === '' ? '' : `${location.key}/`;
}

function abortable({ signal }: Cancellable): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

function unquoted(etag: string | undefined): string {
  return (etag ?? '').replace(/^"(.*)"$/, '$1');
}

function infoOf(key: string, head: HeadObjectCommandOutput): ObjectInfo {
  const headers: { -readonly [member in keyof ObjectHeaders]: ObjectHeaders[member] } = {};
  if (head.ContentType !== undefined) headers.contentType = head.ContentType;
  if (head.CacheControl !== undefined) headers.cacheControl = head.CacheControl;
  if (head.ContentDisposition !== undefined) headers.contentDisposition = head.ContentDisposition;
  if (head.ContentEncoding !== undefined) headers.contentEncoding = head.ContentEncoding;
  if (head.ContentLanguage !== undefined) headers.contentLanguage = head.ContentLanguage;
  return {
    key,
    size: head.ContentLength ?? 0,
    lastModified: head.LastModified ?? new Date(0),
    etag: unquoted(head.ETag),
    headers,
    metadata: head.Metadata ?? {},
    ...(head.SSEKMSKeyId === undefined ? {} : { encryption: { keyArn: head.SSEKMSKeyId } }),
  };
}
