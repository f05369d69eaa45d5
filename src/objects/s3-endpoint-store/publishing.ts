import { type FileHandle, open, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EncryptionRequest } from '../encrypted-files/object-keys.js';
import { ObjectStoreError } from '../errors.js';
import { forEachConcurrently } from '../for-each-concurrently.js';
import type { NamedObject, PublishOptions } from '../object-store.js';
import type { ObjectLocation } from '../s3-uri.js';
import { asking, type Endpoint } from './endpoint.js';

/** The manifest: whoever finds it finds everything else too. */
const LAST_FILE = 'optimization-report.json';

/** Bytes of a part, unless the file needs larger ones to stay under S3's 10,000. */
const PART_BYTES = 16 * 1024 * 1024;
const MAX_PARTS = 10_000;
/** The same of a file that the endpoint copies: nothing of it comes here, so parts may be larger. */
const COPIED_PART_BYTES = 256 * 1024 * 1024;
/** Parts in memory and on their way at once. */
const PARTS_AT_ONCE = 4;
const COMPLETIONS_AT_ONCE = 8;

/** A file of a folder on this machine, or one that the endpoint has. */
type Source = { readonly name: string; readonly path: string } | NamedObject;

interface Upload {
  readonly source: Source;
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly partBytes: number;
  /** Undefined for an empty file, which is put whole at the end. */
  readonly uploadId: string | undefined;
  readonly encryption: EncryptionHeaders;
  readonly parts: { ETag?: string; ChecksumCRC32?: string; PartNumber: number }[];
}

/** What asks an endpoint to encrypt an object. */
export interface EncryptionHeaders {
  readonly ServerSideEncryption?: 'aws:kms';
  readonly SSEKMSKeyId?: string;
}

/** SSE-KMS under the key of a request, or under the account's own key where it names none. */
export function encryptionHeaders(request: EncryptionRequest | undefined): EncryptionHeaders {
  if (request === undefined) return {};
  const { keyId } = request;
  return {
    ServerSideEncryption: 'aws:kms',
    ...(keyId === undefined ? {} : { SSEKMSKeyId: keyId }),
  };
}

/**
 * Uploads a folder so that none of it is visible before all of it has arrived: every file as a
 * multipart upload, all of them completed at the end, the report last. S3 has no commit over
 * several objects: if completing fails half-way, what was completed is removed again. What the
 * endpoint copies itself goes the same way, in parts that are copied instead of sent.
 */
export async function uploadFolder(
  endpoint: Endpoint,
  folder: string,
  location: ObjectLocation,
  { signal, confirm, encryption, beforeReport, copies = [] }: PublishOptions,
): Promise<void> {
  const headers = encryptionHeaders(encryption);
  const uploads: Upload[] = [];
  const visible: Upload[] = [];
  try {
    const send = async (files: readonly Source[]) => {
      const begun: Upload[] = [];
      for (const file of files) {
        signal?.throwIfAborted();
        const upload = await beginUpload(endpoint, file, location, headers);
        begun.push(upload);
        uploads.push(upload);
      }
      await forEachConcurrently(partsOf(begun), PARTS_AT_ONCE, (part) =>
        sendPart(endpoint, part, signal),
      );
    };
    const files: Source[] = [...copies];
    for await (const name of walkFiles(folder, '')) files.push({ name, path: join(folder, name) });
    await send(files.filter(({ name }) => name !== LAST_FILE));
    await beforeReport?.();
    await send(files.filter(({ name }) => name === LAST_FILE));
    const finish = async (upload: Upload) => {
      signal?.throwIfAborted();
      confirm?.();
      visible.push(upload);
      await finishUpload(endpoint, upload);
    };
    const isLast = ({ source }: Upload) => source.name === LAST_FILE;
    await forEachConcurrently(
      uploads.filter((upload) => !isLast(upload)),
      COMPLETIONS_AT_ONCE,
      finish,
    );
    for (const upload of uploads.filter(isLast)) await finish(upload);
  } catch (error) {
    await undo(endpoint, uploads, isConfirmed(confirm) ? visible : []);
    throw error;
  }
}

/** Whether publishing is still the caller's business; otherwise others may have replaced what we see. */
function isConfirmed(confirm: (() => void) | undefined): boolean {
  try {
    confirm?.();
    return true;
  } catch {
    return false;
  }
}

/** The plain files in a folder, relative to it. @throws ObjectStoreError for anything else */
async function* walkFiles(folder: string, base: string): AsyncGenerator<string> {
  for await (const entry of await opendir(join(folder, base))) {
    const name = base === '' ? entry.name : `${base}/${entry.name}`;
    if (entry.isDirectory()) yield* walkFiles(folder, name);
    else if (entry.isFile()) yield name;
    else {
      throw new ObjectStoreError(
        'InvalidRequest',
        `${JSON.stringify(name)} cannot be published: it is neither a plain file nor a folder`,
      );
    }
  }
}

async function beginUpload(
  endpoint: Endpoint,
  source: Source,
  location: ObjectLocation,
  encryption: EncryptionHeaders,
): Promise<Upload> {
  const { client, sdk } = endpoint;
  const { bucket } = location;
  const key = location.key === '' ? source.name : `${location.key}/${source.name}`;
  const { size } = 'path' in source ? await stat(source.path) : source;
  const leastPart = 'path' in source ? PART_BYTES : COPIED_PART_BYTES;
  const partBytes = Math.max(leastPart, Math.ceil(size / MAX_PARTS));
  const common = { source, bucket, key, size, partBytes, encryption, parts: [] };
  if (size === 0) return { ...common, uploadId: undefined };
  const { UploadId } = await asking(endpoint, bucket, key, () =>
    client.send(
      new sdk.CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        ChecksumAlgorithm: 'CRC32',
        ...encryption,
      }),
    ),
  );
  return { ...common, uploadId: UploadId };
}

interface Part {
  readonly upload: Upload;
  readonly number: number;
}

function* partsOf(uploads: readonly Upload[]): Generator<Part> {
  for (const upload of uploads) {
    const count = Math.ceil(upload.size / upload.partBytes);
    for (let number = 1; number <= count; number += 1) yield { upload, number };
  }
}

async function sendPart(
  endpoint: Endpoint,
  { upload, number }: Part,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const { client, sdk } = endpoint;
  const { source, bucket, key, uploadId } = upload;
  const start = (number - 1) * upload.partBytes;
  const length = Math.min(upload.partBytes, upload.size - start);
  const part = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: number };
  const options = signal === undefined ? {} : { abortSignal: signal };
  const send = async () => {
    if ('path' in source) {
      const Body = await readPiece(source.path, start, length);
      const command = new sdk.UploadPartCommand({ ...part, Body, ChecksumAlgorithm: 'CRC32' });
      return client.send(command, options);
    }
    const command = new sdk.UploadPartCopyCommand({
      ...part,
      CopySource: [source.bucket, ...source.key.split('/')].map(encodeURIComponent).join('/'),
      CopySourceIfMatch: `"${source.etag}"`,
      // S3 copies ranges of large objects alone.
      ...(length === upload.size
        ? {}
        : { CopySourceRange: `bytes=${start}-${start + length - 1}` }),
    });
    return (await client.send(command, options)).CopyPartResult ?? {};
  };
  const sent = await asking(endpoint, bucket, key, send);
  upload.parts.push({
    PartNumber: number,
    ...(sent.ETag === undefined ? {} : { ETag: sent.ETag }),
    ...(sent.ChecksumCRC32 === undefined ? {} : { ChecksumCRC32: sent.ChecksumCRC32 }),
  });
}

async function readPiece(path: string, start: number, length: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(length);
  const file: FileHandle = await open(path, 'r');
  try {
    let read = 0;
    while (read < length) {
      const { bytesRead } = await file.read(piece, read, length - read, start + read);
      if (bytesRead === 0) {
        throw new ObjectStoreError(
          'IncompleteBody',
          `${JSON.stringify(path)} became shorter while it was being published`,
        );
      }
      read += bytesRead;
    }
  } finally {
    await file.close();
  }
  return piece;
}

async function finishUpload(endpoint: Endpoint, upload: Upload): Promise<void> {
  const { client, sdk } = endpoint;
  const { bucket, key, uploadId } = upload;
  const object = { Bucket: bucket, Key: key };
  await asking(endpoint, bucket, key, async () => {
    if (uploadId === undefined) {
      await client.send(new sdk.PutObjectCommand({ ...object, Body: '', ...upload.encryption }));
      return;
    }
    const Parts = upload.parts.sort((a, b) => a.PartNumber - b.PartNumber);
    try {
      await client.send(
        new sdk.CompleteMultipartUploadCommand({
          ...object,
          UploadId: uploadId,
          MultipartUpload: { Parts },
        }),
      );
    } catch (error) {
      // When only the answer to an earlier attempt was lost, the upload is gone and the object there.
      if (!(error instanceof sdk.NoSuchUpload)) throw error;
      const { ContentLength } = await client.send(new sdk.HeadObjectCommand(object));
      if (ContentLength !== upload.size) throw error;
    }
  });
}

/** Takes back what can be; the failure that led here is the one to report. */
async function undo(
  endpoint: Endpoint,
  uploads: readonly Upload[],
  visible: readonly Upload[],
): Promise<void> {
  const { client, sdk } = endpoint;
  await forEachConcurrently(uploads, COMPLETIONS_AT_ONCE, async (upload) => {
    const object = { Bucket: upload.bucket, Key: upload.key };
    const undoing: Promise<unknown>[] = [];
    if (upload.uploadId !== undefined) {
      const UploadId = upload.uploadId;
      undoing.push(client.send(new sdk.AbortMultipartUploadCommand({ ...object, UploadId })));
    }
    if (visible.includes(upload)) undoing.push(client.send(new sdk.DeleteObjectCommand(object)));
    await Promise.allSettled(undoing);
  });
}
