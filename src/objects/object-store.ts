import type { Readable } from 'node:stream';
import type { ChecksumAlgorithm, ChecksumType, DigestAlgorithm } from './checksums.js';
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

/** A digest that a body must have, or that is to be kept with the object. */
export interface DigestDemand {
  readonly algorithm: DigestAlgorithm;
  /** Base64; asked for once the whole body has arrived, since it may come in a trailer. */
  readonly expected: () => string | undefined;
  /** The error for a body whose digest is another one. */
  readonly mismatch?: (actual: string) => Error;
}

/** Conditions that hold at the moment an object becomes visible. */
export interface WriteCondition {
  /** Only if there is no such object yet. */
  readonly ifAbsent?: boolean;
  /** Only if the object there has this ETag. */
  readonly ifMatch?: string;
}

export interface BodyOptions extends Cancellable {
  readonly expectedLength: number;
  readonly demands?: readonly DigestDemand[];
}

export interface ServedWriteOptions extends WriteOptions, BodyOptions {
  /** The checksum to keep; CRC64NVME if not given, as S3 does. */
  readonly checksum?: ChecksumAlgorithm;
  readonly condition?: WriteCondition;
}

/** An object opened for reading: its info and its bytes are of the same version. */
export interface OpenObject {
  readonly info: ObjectInfo;
  /** The bytes, or a range of them; may be called once, and closes the object at its end. */
  read(range?: ByteRange): Readable;
  close(): Promise<void>;
}

export interface BucketInfo {
  readonly name: string;
  readonly createdAt: Date;
}

export interface CreateUploadOptions {
  readonly headers?: ObjectHeaders;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
  readonly encryption?: EncryptionRequest;
}

export interface PartOptions extends BodyOptions, KeyAccess {}

export interface UploadInfo {
  readonly uploadId: string;
  readonly key: string;
  readonly initiatedAt: Date;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
  readonly encryption?: ObjectEncryption;
}

export interface PartInfo {
  readonly partNumber: number;
  readonly size: number;
  readonly etag: string;
  readonly lastModified: Date;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
  readonly encryption?: ObjectEncryption;
}

export interface CompletedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
}

export interface CompleteUploadOptions extends Cancellable {
  /** Base64, of the kind the upload was created with. */
  readonly expectedChecksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string };
  readonly expectedSize?: number;
  readonly condition?: WriteCondition;
}

/** Multipart uploads under way. */
export interface UploadStore {
  create(bucket: string, key: string, options: CreateUploadOptions): Promise<UploadInfo>;
  uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Body,
    options: PartOptions,
  ): Promise<PartInfo>;
  /** The upload and all of its parts in order. */
  listParts(
    bucket: string,
    key: string,
    uploadId: string,
  ): Promise<{ readonly upload: UploadInfo; readonly parts: readonly PartInfo[] }>;
  complete(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options?: CompleteUploadOptions,
  ): Promise<ObjectInfo>;
  abort(bucket: string, key: string, uploadId: string): Promise<void>;
  /** All uploads under way in a bucket, by key and then by time. */
  list(bucket: string): Promise<readonly UploadInfo[]>;
}

/** What the S3 front needs beyond `ObjectStore`: buckets, conditions, checksums, multipart uploads. */
export interface ServedObjectStore extends ObjectStore {
  readonly uploads: UploadStore;
  listBuckets(): Promise<readonly BucketInfo[]>;
  createBucket(bucket: string): Promise<void>;
  deleteBucket(bucket: string): Promise<void>;
  /** Opens an object, and its key where it is encrypted: then whoever may not use the key is told so. */
  open(bucket: string, key: string, access?: KeyAccess): Promise<OpenObject>;
  write(bucket: string, key: string, body: Body, options: ServedWriteOptions): Promise<ObjectInfo>;
}
