import { compareUtf8 } from '../../objects/byte-order.js';
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type ChecksumType,
} from '../../objects/checksums.js';
import { isCombinable } from '../../objects/crc-combine.js';
import type { CompletedPart, UploadInfo } from '../../objects/served-object-store.js';
import { ownerNodes } from './buckets.js';
import {
  checksumElement,
  checksumNodes,
  headerChecksum,
  parseAlgorithm,
  partChecksumHeader,
} from './checksum-headers.js';
import { unquote, writeCondition } from './conditions.js';
import { encryptionHeaders, readEncryption } from './encryption-headers.js';
import { readCount, readEncoding } from './list-objects.js';
import { readMetadata, readObjectHeaders } from './object-headers.js';
import { openBody, readSmallBody } from './request-body.js';
import { quoted, type S3Call, sendEmpty, sendXml } from './s3-call.js';
import { invalidArgument, invalidRequest, malformedXml } from './s3-error.js';
import { children, childText, type ParsedXml, parseXml, type XmlNode } from './xml.js';

/** 10,000 parts, each with its number, ETag and checksum. */
const MAX_COMPLETE_BYTES = 8 * 1024 * 1024;

/**
 * Begins an upload in parts.
 * @throws S3Error InvalidRequest; ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 */
export async function createMultipartUpload(call: S3Call): Promise<void> {
  const { store, bucket, key, headers } = call;
  const checksum = readUploadChecksum(headers);
  const upload = await store.uploads.create(bucket, key, {
    headers: readObjectHeaders(headers),
    metadata: readMetadata(headers),
    ...(checksum === undefined ? {} : { checksum }),
    ...readEncryption(call),
  });
  sendXml(
    call,
    'InitiateMultipartUploadResult',
    [
      ['Bucket', bucket],
      ['Key', key],
      ['UploadId', upload.uploadId],
    ],
    {
      ...encryptionHeaders(upload.encryption),
      ...(checksum === undefined
        ? {}
        : {
            'x-amz-checksum-algorithm': checksum.algorithm,
            'x-amz-checksum-type': checksum.type,
          }),
    },
  );
}

/** The kind of checksum that the object is to have. @throws S3Error InvalidRequest */
function readUploadChecksum(
  headers: ReadonlyMap<string, string>,
): { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined {
  const name = headers.get('x-amz-checksum-algorithm');
  const type = headers.get('x-amz-checksum-type')?.toUpperCase();
  if (name === undefined) {
    if (type === undefined) return undefined;
    throw invalidRequest(
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = parseAlgorithm(name);
  const chosen = type ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const possible =
    (chosen === 'COMPOSITE' && algorithm !== 'CRC64NVME') ||
    (chosen === 'FULL_OBJECT' && isCombinable(algorithm));
  if (!possible) {
    throw invalidRequest(
      `The ${chosen} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type: chosen };
}

/** The upload that a request names; empty where it names none, which no upload is called. */
export function readUploadId(call: S3Call): string {
  return call.query.get('uploadId') ?? '';
}

/** The number of the part that a request names; NaN for anything that is no number. */
export function readPartNumber(call: S3Call): number {
  const text = call.query.get('partNumber') ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * Takes in one part of an upload, in place of an earlier one of that number.
 * @throws S3Error InvalidRequest; ObjectStoreError NoSuchUpload, InvalidArgument, BadDigest,
 * IncompleteBody
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
 */
export async function uploadPart(call: S3Call): Promise<void> {
  const { store, bucket, key } = call;
  const body = openBody(call);
  const part = await store.uploads.uploadPart(
    bucket,
    key,
    readUploadId(call),
    readPartNumber(call),
    body.bytes,
    { expectedLength: body.length, demands: body.demands, ...call.keyAccess },
  );
  sendEmpty(call, 200, {
    etag: quoted(part.etag),
    ...partChecksumHeader(headerChecksum(call.headers) ?? part.checksum),
    ...encryptionHeaders(part.encryption),
    'content-length': 0,
  });
}

/**
 * Makes an object of the parts that the document lists.
 * @throws S3Error MalformedXML, InvalidArgument; ObjectStoreError NoSuchUpload, InvalidPart,
 * InvalidPartOrder, EntityTooSmall, PreconditionFailed
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export async function completeMultipartUpload(call: S3Call): Promise<void> {
  const { store, bucket, key, headers } = call;
  const uploadId = readUploadId(call);
  const document = parseXml(
    await readSmallBody(call, MAX_COMPLETE_BYTES),
    'CompleteMultipartUpload',
  );
  const parts = children(document, 'Part').map(readCompletedPart);
  if (parts.length === 0) throw malformedXml();
  const expectedChecksum = headerChecksum(headers);
  const size = headers.get('x-amz-mp-object-size');
  if (size !== undefined && !/^\d{1,15}$/.test(size)) {
    throw invalidArgument('x-amz-mp-object-size must be a number of bytes');
  }
  const info = await store.uploads.complete(bucket, key, uploadId, parts, {
    ...(expectedChecksum === undefined ? {} : { expectedChecksum }),
    ...(size === undefined ? {} : { expectedSize: Number(size) }),
    condition: writeCondition(headers),
  });
  sendXml(call, 'CompleteMultipartUploadResult', [
    ['Location', `http://${headers.get('host') ?? ''}/${bucket}/${encodeURI(key)}`],
    ['Bucket', bucket],
    ['Key', key],
    ['ETag', quoted(info.etag)],
    ...checksumNodes(info.checksum),
  ]);
}

function readCompletedPart(part: ParsedXml): CompletedPart {
  const number = childText(part, 'PartNumber')?.trim() ?? '';
  const etag = childText(part, 'ETag')?.trim();
  if (!/^\d{1,6}$/.test(number) || etag === undefined) throw malformedXml();
  const [checksum] = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = childText(part, checksumElement(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  return {
    partNumber: Number(number),
    etag: unquote(etag),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

/**
 * Gives an upload up, with its parts.
 * @throws ObjectStoreError NoSuchUpload
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
 */
export async function abortMultipartUpload(call: S3Call): Promise<void> {
  await call.store.uploads.abort(call.bucket, call.key, readUploadId(call));
  sendEmpty(call, 204);
}

/**
 * The parts of an upload that have arrived, by number, 1,000 a page at most.
 * @throws S3Error InvalidArgument; ObjectStoreError NoSuchUpload
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
 */
export async function listParts(call: S3Call): Promise<void> {
  const { store, bucket, key, query } = call;
  const { upload, parts } = await store.uploads.listParts(bucket, key, readUploadId(call));
  const maxParts = readCount(query.get('max-parts'), 'max-parts');
  const marker = readMarker(query.get('part-number-marker'));
  const rest = parts.filter((part) => part.partNumber > marker);
  const page = rest.slice(0, maxParts);
  sendXml(call, 'ListPartsResult', [
    ['Bucket', bucket],
    ['Key', key],
    ['UploadId', upload.uploadId],
    ['PartNumberMarker', marker],
    ['NextPartNumberMarker', page.at(-1)?.partNumber ?? marker],
    ['MaxParts', maxParts],
    ['IsTruncated', rest.length > page.length],
    ['ChecksumAlgorithm', upload.checksum.algorithm],
    ['ChecksumType', upload.checksum.type],
    ['Initiator', ownerNodes(call)],
    ['Owner', ownerNodes(call)],
    ['StorageClass', 'STANDARD'],
    ...page.map(
      (part): XmlNode => [
        'Part',
        [
          ['PartNumber', part.partNumber],
          ['LastModified', part.lastModified],
          ['ETag', quoted(part.etag)],
          ['Size', part.size],
          [checksumElement(part.checksum.algorithm), part.checksum.value],
        ],
      ],
    ),
  ]);
}

function readMarker(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,6}$/.test(text)) throw invalidArgument('part-number-marker must be a number');
  return Number(text);
}

/**
 * The unfinished uploads of a bucket, by key and time, 1,000 a page at most.
 * @throws S3Error InvalidArgument; ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
export async function listMultipartUploads(call: S3Call): Promise<void> {
  const { store, bucket, query } = call;
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const maxUploads = readCount(query.get('max-uploads'), 'max-uploads');
  const encode = readEncoding(query.get('encoding-type'));
  const matching = (await store.uploads.list(bucket)).filter((one) => one.key.startsWith(prefix));
  const rest = matching.slice(firstBehind(matching, keyMarker, idMarker));
  const page = rest.slice(0, maxUploads);
  const last = page.at(-1);
  sendXml(call, 'ListMultipartUploadsResult', [
    ['Bucket', bucket],
    ['KeyMarker', encode(keyMarker)],
    ['UploadIdMarker', idMarker],
    ['NextKeyMarker', last === undefined ? undefined : encode(last.key)],
    ['NextUploadIdMarker', last?.uploadId],
    ['Prefix', encode(prefix)],
    ['EncodingType', query.get('encoding-type')],
    ['MaxUploads', maxUploads],
    ['IsTruncated', rest.length > page.length],
    ...page.map(
      (upload): XmlNode => [
        'Upload',
        [
          ['Key', encode(upload.key)],
          ['UploadId', upload.uploadId],
          ['Initiator', ownerNodes(call)],
          ['Owner', ownerNodes(call)],
          ['StorageClass', 'STANDARD'],
          ['Initiated', upload.initiatedAt],
          ['ChecksumAlgorithm', upload.checksum.algorithm],
          ['ChecksumType', upload.checksum.type],
        ],
      ],
    ),
  ]);
}

/** Where to go on in a list sorted by key and then by time. */
function firstBehind(uploads: readonly UploadInfo[], key: string, uploadId: string): number {
  const marked = uploads.findIndex((one) => one.key === key && one.uploadId === uploadId);
  if (marked >= 0) return marked + 1;
  const behind = uploads.findIndex((one) => compareUtf8(one.key, key) > 0);
  return behind < 0 ? uploads.length : behind;
}
