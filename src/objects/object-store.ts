import type { Readable } from 'node:stream';
import type { ChecksumAlgorithm, ChecksumType } from './checksums.js';
import type {
  EncryptionRequest,
  KeyAccess,
  ObjectEncryption,
} from './encrypted-files/object-keys.js';
import type { ObjectLocation } from './s3-uri.js';

/** The headers a client gives an object and gets back with it. */
export interface ObjectHeaders {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: string;
}

export interface StoredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Base64; a composite one ends with `-` and the number of parts. */
  readonly value: string;
}

export interface ObjectSummary {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
  /** Without quotes. */
  readonly etag: string;
  readonly checksum?: StoredChecksum;
  /** Given for an object that is encrypted under a named key. Sizes and checksums are of its bytes in clear. */
  readonly encryption?: ObjectEncryption;
}

export interface ObjectInfo extends ObjectSummary {
  readonly headers: ObjectHeaders;
  /** User metadata (`x-amz-meta-…`), names in lower case without the prefix. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** One version of an object. */
export interface ObjectVersion {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
}

/** An object as a file of a folder. */
export interface NamedObject extends ObjectVersion {
  /** The file's path in its folder, with slashes. */
  readonly name: string;
}

/** First and last byte, both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions extends Cancellable {
  readonly prefix?: string;
  /** Keys that have it behind the prefix are rolled up into one common prefix each. */
  readonly delimiter?: string;
  /** Only what comes behind this key (or common prefix) in UTF-8 byte order. */
  readonly startAfter?: string;
  /** Objects and common prefixes together; 1,000 if not given. */
  readonly maxKeys?: number;
}

export interface ListPage {
  readonly objects: readonly ObjectSummary[];
  readonly commonPrefixes: readonly string[];
  /** Given when there is more: the `startAfter` of the next page. */
  readonly nextStartAfter?: string;
}

export interface ReadOptions extends Cancellable, KeyAccess {
  readonly range?: ByteRange;
}

export interface ReadObject {
  readonly info: ObjectInfo;
  readonly body: Readable;
}

/** An object's bytes on their way in: a stream, or a generator. */
export type Body = AsyncIterable<Uint8Array>;

export interface WriteOptions extends Cancellable {
  /** Bytes; a body of another length is refused. */
  readonly expectedLength: number;
  readonly headers?: ObjectHeaders;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Left out for an object that is stored as it is. */
  readonly encryption?: EncryptionRequest;
}

/** Hears of each transient fault that was met, by name: `SlowDown`, `ECONNRESET`, … */
export type FaultListener = (kind: string) => void;

export interface StageProgress {
  readonly bytes: number;
  readonly files: number;
}

export interface StageOptions extends Cancellable, KeyAccess {
  readonly onProgress?: (progress: StageProgress) => void;
  readonly onFault?: FaultListener;
}

/** A folder on this machine with what lies at a location. */
export interface StagedFolder {
  readonly path: string;
  /** True when this is the store's own folder, which nobody may write to. */
  readonly readOnly: boolean;
  readonly files: number;
  readonly bytes: number;
}

/** Where models come from and results go to. Errors are `ObjectStoreError`s. */
export interface ObjectStore {
  /** @throws ObjectStoreError NoSuchBucket */
  headBucket(bucket: string, options?: Cancellable): Promise<void>;
  list(bucket: string, options?: ListOptions): Promise<ListPage>;
  /** @throws ObjectStoreError NoSuchKey */
  head(bucket: string, key: string, options?: Cancellable): Promise<ObjectInfo>;
  read(bucket: string, key: string, options?: ReadOptions): Promise<ReadObject>;
  /** Stores an object whole or not at all. */
  write(bucket: string, key: string, body: Body, options: WriteOptions): Promise<ObjectInfo>;
  /** Removes an object; one that is not there is no error. */
  remove(bucket: string, key: string, options?: Cancellable): Promise<void>;

  /** Whether there is an object of that very key, or any object in the folder. */
  exists(location: ObjectLocation, options?: Cancellable): Promise<boolean>;
  /** Whether a result may be published there; partial results are in nobody's way. @throws ObjectStoreError NoSuchBucket */
  isEmpty(location: ObjectLocation, options?: Cancellable): Promise<boolean>;

  /**
   * Makes the folder at a location, or the content of the single `.tar.gz` that it names,
   * available on this machine. Of what is encrypted there, the folder holds the bytes in clear.
   *
   * @param target an empty or missing folder that may be filled
   * @throws NothingAtLocationError, ArchiveError, ObjectStoreError
   */
  stageFolder(
    location: ObjectLocation,
    target: string,
    options?: StageOptions,
  ): Promise<StagedFolder>;

  /**
   * Publishes a folder of plain files at a location, all of it or nothing. `folder` belongs to the
   * store from then on, and must lie on the file system of the data folder.
   *
   * What `partial/` below the location holds stays there.
   *
   * @throws LocationNotEmptyError when anything else is there already; nothing is changed then
   */
  publishFolder(folder: string, location: ObjectLocation, options?: PublishOptions): Promise<void>;
}

export interface PublishOptions extends Cancellable {
  readonly onFault?: FaultListener;
  /** Called where files are sent off one by one, when all but the report have been: it may still change. */
  readonly beforeReport?: () => Promise<void>;
  /**
   * Called right before each act that makes something visible; throws when that is not the caller's
   * business any more. What was made visible is then left as it is.
   */
  readonly confirm?: () => void;
  /**
   * Whether an earlier process may have died while it published this very folder: objects of the same
   * names are then its leftovers, and are replaced.
   */
  readonly interrupted?: boolean;
  /**
   * Files of the folder that are not in it but in the same store: it copies them itself, those very
   * versions or none. The embedded store publishes no such folders.
   */
  readonly copies?: readonly NamedObject[];
  /** Encrypts every object; left out for objects that are stored as they are. */
  readonly encryption?: EncryptionRequest;
}
