import type { Readable } from 'node:stream';
import type { ChecksumAlgorithm, ChecksumType, DigestAlgorithm } from './checksums.js';
import type {
  EncryptionRequest,
  KeyAccess,
  ObjectEncryption,
} from './encrypted-files/object-keys.js';
import type {
  Body,
  ByteRange,
  Cancellable,
  ObjectHeaders,
  ObjectInfo,
  ObjectStore,
  WriteOptions,
} from './object-store.js';

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
