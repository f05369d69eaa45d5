import { percentDecode } from '../../identity/canonical-request.js';
import type { ByteRange, ObjectInfo } from '../../objects/object-store.js';
import type { OpenObject } from '../../objects/served-object-store.js';
import { checksumElement, checksumNodes, parseAlgorithm } from './checksum-headers.js';
import {
  COPY_CONDITIONS,
  checkConditions,
  preconditionFailed,
  writeCondition,
} from './conditions.js';
import { encryptionHeaders, readEncryption } from './encryption-headers.js';
import { readPartNumber, readUploadId } from './multipart.js';
import { readMetadata, readObjectHeaders } from './object-headers.js';
import { quoted, type S3Call, sendXml } from './s3-call.js';
import { invalidArgument, invalidRequest, S3Error } from './s3-error.js';

/**
 * Copies an object, with its headers and metadata or with new ones, under the key that the request
 * names.
 * @throws S3Error InvalidArgument, InvalidRequest, PreconditionFailed; ObjectStoreError
 * NoSuchBucket, NoSuchKey
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function copyObject(call: S3Call): Promise<void> {
  const { store, bucket, key, headers } = call;
  const source = readSource(call);
  const directive = headers.get('x-amz-metadata-directive') ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw invalidArgument('Unknown metadata directive.');
  }
  const encrypting = readEncryption(call);
  const onItself = source.bucket === bucket && source.key === key;
  if (directive === 'COPY' && onItself && encrypting.encryption === undefined) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const wish = headers.get('x-amz-checksum-algorithm');
  const wished = wish === undefined ? undefined : parseAlgorithm(wish);
  const condition = writeCondition(headers);
  const replaced =
    directive === 'REPLACE'
      ? { headers: readObjectHeaders(headers), metadata: readMetadata(headers) }
      : undefined;
  const object = await openSource(call, source);
  const { info } = object;
  const checksum = wished ?? info.checksum?.algorithm;
  const body = object.read();
  let copied: ObjectInfo;
  try {
    copied = await store.write(bucket, key, body, {
      expectedLength: info.size,
      headers: info.headers,
      metadata: info.metadata,
      ...replaced,
      ...(checksum === undefined ? {} : { checksum }),
      condition,
      ...encrypting,
    });
  } finally {
    // A copy that is refused before its bytes are asked for leaves the source open otherwise.
    body.destroy();
  }
  const result = [
    ['LastModified', copied.lastModified],
    ['ETag', quoted(copied.etag)],
    ...checksumNodes(copied.checksum),
  ] as const;
  sendXml(call, 'CopyObjectResult', result, encryptionHeaders(copied.encryption));
}

/**
 * Takes a part of an upload from another object, or from a range of it.
 * @throws S3Error InvalidArgument, PreconditionFailed; ObjectStoreError NoSuchKey, NoSuchUpload
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export async function uploadPartCopy(call: S3Call): Promise<void> {
  const { store, bucket, key } = call;
  const uploadId = readUploadId(call);
  const partNumber = readPartNumber(call);
  const object = await openSource(call, readSource(call));
  let range: ByteRange | undefined;
  try {
    range = readCopyRange(call.headers.get('x-amz-copy-source-range'), object.info.size);
  } catch (error) {
    await object.close();
    throw error;
  }
  const expectedLength = range === undefined ? object.info.size : range.end - range.start + 1;
  const body = object.read(range);
  try {
    const part = await store.uploads.uploadPart(bucket, key, uploadId, partNumber, body, {
      expectedLength,
      ...call.keyAccess,
    });
    const result = [
      ['LastModified', part.lastModified],
      ['ETag', quoted(part.etag)],
      [checksumElement(part.checksum.algorithm), part.checksum.value],
    ] as const;
    sendXml(call, 'CopyPartResult', result, encryptionHeaders(part.encryption));
  } finally {
    body.destroy();
  }
}

interface CopySource {
  readonly bucket: string;
  readonly key: string;
}

/** Reads `[/]bucket/key[?versionId=null]`, percent-encoded. @throws S3Error InvalidArgument */
export function readSource(call: Pick<S3Call, 'headers'>): CopySource {
  const raw = call.headers.get('x-amz-copy-source') ?? '';
  const [path = '', version] = raw.split('?versionId=');
  const decoded = percentDecode(path, false).toString('utf8').replace(/^\//, '');
  const slash = decoded.indexOf('/');
  if (slash <= 0 || slash === decoded.length - 1) {
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  if (version !== undefined && version !== 'null') {
    throw new S3Error('NoSuchVersion', 404, 'The specified version does not exist.');
  }
  return { bucket: decoded.slice(0, slash), key: decoded.slice(slash + 1) };
}

/** Opens the source if the conditions on it hold. */
async function openSource(call: S3Call, source: CopySource): Promise<OpenObject> {
  const object = await call.store.open(source.bucket, source.key, call.keyAccess);
  if (checkConditions(call.headers, COPY_CONDITIONS, object.info) === 'hold') return object;
  await object.close();
  throw preconditionFailed();
}

function readCopyRange(text: string | undefined, size: number): ByteRange | undefined {
  if (text === undefined) return undefined;
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text);
  const start = Number(match?.[1] ?? -1);
  const end = Number(match?.[2] ?? -1);
  if (match === null || start > end) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    );
  }
  if (end >= size) {
    throw invalidArgument(`Range specified is not valid for source object of size: ${size}`);
  }
  return { start, end };
}
