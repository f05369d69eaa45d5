import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { EncryptionRequest, KeyAccess } from '../../objects/encrypted-files/object-keys.js';
import type {
  Body,
  Cancellable,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStore,
  PublishOptions,
  ReadObject,
  ReadOptions,
  StagedFolder,
  StageOptions,
  WriteOptions,
} from '../../objects/object-store.js';
import type { ObjectLocation } from '../../objects/s3-uri.js';
import type { Permission } from '../authorizer.js';
import { keyPermission } from '../key-permission.js';
import { bucketArn, objectArn } from '../s3-arns.js';

/** Fulfilled when it is allowed. @throws ObjectStoreError `AccessDenied` */
export type Guard = (permission: Permission) => Promise<void>;

/**
 * An object store behind a guard: before each thing is done, the S3 actions that AWS would ask for are
 * asked for.
 */
export class GuardedObjects implements ObjectStore {
  private readonly keyAccess: KeyAccess;

  constructor(
    private readonly store: ObjectStore,
    private readonly guard: Guard,
    region: string,
  ) {
    this.keyAccess = {
      authorizeKey: (action, keyArn) => guard(keyPermission(action, keyArn, region)),
    };
  }

  async headBucket(bucket: string, options?: Cancellable): Promise<void> {
    await this.mayList(bucket);
    return this.store.headBucket(bucket, options);
  }

  async list(bucket: string, options?: ListOptions): Promise<ListPage> {
    await this.mayList(bucket, options?.prefix);
    return this.store.list(bucket, options);
  }

  async head(bucket: string, key: string, options?: Cancellable): Promise<ObjectInfo> {
    await this.may('s3:GetObject', bucket, key);
    return this.store.head(bucket, key, options);
  }

  async read(bucket: string, key: string, options?: ReadOptions): Promise<ReadObject> {
    await this.may('s3:GetObject', bucket, key);
    return this.store.read(bucket, key, { ...options, ...this.keyAccess });
  }

  async write(bucket: string, key: string, body: Body, options: WriteOptions): Promise<ObjectInfo> {
    await this.may('s3:PutObject', bucket, key);
    return this.store.write(bucket, key, body, { ...options, ...this.underRole(options) });
  }

  async remove(bucket: string, key: string, options?: Cancellable): Promise<void> {
    await this.may('s3:DeleteObject', bucket, key);
    return this.store.remove(bucket, key, options);
  }

  async exists(location: ObjectLocation, options?: Cancellable): Promise<boolean> {
    await this.mayList(location.bucket, location.key);
    return this.store.exists(location, options);
  }

  async isEmpty(location: ObjectLocation, options?: Cancellable): Promise<boolean> {
    await this.mayList(location.bucket, location.key);
    return this.store.isEmpty(location, options);
  }

  /** The role must be allowed to read every object that there is. */
  async stageFolder(
    location: ObjectLocation,
    target: string,
    options?: StageOptions,
  ): Promise<StagedFolder> {
    await this.mayList(location.bucket, location.key);
    for await (const key of this.keysAt(location, options?.signal)) {
      await this.may('s3:GetObject', location.bucket, key);
    }
    return this.store.stageFolder(location, target, { ...options, ...this.keyAccess });
  }

  async publishFolder(
    folder: string,
    location: ObjectLocation,
    options?: PublishOptions,
  ): Promise<void> {
    await this.mayList(location.bucket, location.key);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
    for (const name of [...names, ...(options?.copies ?? []).map((copy) => copy.name)]) {
      const key = location.key === '' ? name : `${location.key}/${name}`;
      await this.may('s3:PutObject', location.bucket, key);
    }
    return this.store.publishFolder(folder, location, { ...options, ...this.underRole(options) });
  }

  /** An encryption request, with the key used as the role. */
  private underRole(options?: { readonly encryption?: EncryptionRequest }) {
    const encryption = options?.encryption;
    return encryption === undefined ? {} : { encryption: { ...encryption, ...this.keyAccess } };
  }

  private may(action: string, bucket: string, key: string): Promise<void> {
    return this.guard({ action, resource: objectArn(bucket, key) });
  }

  private mayList(bucket: string, prefix?: string): Promise<void> {
    return this.guard({
      action: 's3:ListBucket',
      resource: bucketArn(bucket),
      context: { 's3:prefix': prefix },
    });
  }

  private async *keysAt(
    { bucket, key }: ObjectLocation,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<string> {
    let startAfter: string | undefined;
    do {
      const page: ListPage = await this.store.list(bucket, {
        prefix: key,
        ...(startAfter === undefined ? {} : { startAfter }),
        signal,
      });
      for (const object of page.objects) {
        const inside = key === '' || object.key === key || object.key.startsWith(`${key}/`);
        if (inside) yield object.key;
      }
      startAfter = page.nextStartAfter;
    } while (startAfter !== undefined);
  }
}
