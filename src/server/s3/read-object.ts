import { pipeline } from 'node:stream/promises';
import { bucketArn } from '../../identity/s3-arns.js';
import { ObjectStoreError } from '../../objects/errors.js';
import type { ByteRange, ObjectInfo } from '../../objects/object-store.js';
import { checksumHeaders } from './checksum-headers.js';
import { checkConditions, preconditionFailed, READ_CONDITIONS, readRange } from './conditions.js';
import { objectHeaders } from './object-headers.js';
import { type HeaderValues, type S3Call, sendEmpty, sendHead, sendXml } from './s3-call.js';
import { S3Error } from './s3-error.js';

/**
 * Sends an object, or a range or a part of it.
 * @throws S3Error PreconditionFailed, InvalidRange, InvalidPartNumber; ObjectStoreError
 * NoSuchBucket, NoSuchKey; AccessDeniedError
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export async function getObject(call: S3Call): Promise<void> {
  const object = await call.store
    .open(call.bucket, call.key, call.keyAccess)
    .catch(hideAbsence(call));
  let sending = false;
  try {
    const { info } = object;
    const reply = describeRead(call, info);
    if (reply.statusCode === 304) return sendEmpty(call, 304, reply.headers);
    sendHead(call.response, reply.statusCode, reply.headers);
    sending = true;
    await pipeline(object.read(reply.range), call.response);
  } finally {
    if (!sending) await object.close();
  }
}

/**
 * What getObject would say of an object, without its bytes.
 * @throws S3Error PreconditionFailed, InvalidRange, InvalidPartNumber; ObjectStoreError
 * NoSuchBucket, NoSuchKey; AccessDeniedError
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
export async function headObject(call: S3Call): Promise<void> {
  const info = await call.store.head(call.bucket, call.key).catch(hideAbsence(call));
  const { statusCode, headers } = describeRead(call, info);
  sendEmpty(call, statusCode, headers);
}

/** Whoever may not list a bucket is not told either that a key is missing from it, as in S3. */
function hideAbsence(call: S3Call): (error: unknown) => Promise<never> {
  return async (error) => {
    if (error instanceof ObjectStoreError && error.code === 'NoSuchKey') {
      await call.authorize({
        action: 's3:ListBucket',
        resource: bucketArn(call.bucket),
        context: { 's3:prefix': call.key },
      });
    }
    throw error;
  };
}

interface ReadReply {
  readonly statusCode: number;
  readonly headers: HeaderValues;
  readonly range?: ByteRange;
}

/** @throws S3Error PreconditionFailed, InvalidRange, InvalidPartNumber */
function describeRead(call: S3Call, info: ObjectInfo): ReadReply {
  const { headers, query } = call;
  const verdict = checkConditions(headers, READ_CONDITIONS, info);
  if (verdict === 'failed') throw preconditionFailed();
  const common = objectHeaders(info, query);
  if (verdict === 'unchanged') {
    return {
      statusCode: 304,
      headers: { etag: common.etag, 'last-modified': common['last-modified'] },
    };
  }
  checkPartNumber(query.get('partNumber'));
  const range = readRange(headers, info);
  if (range === undefined) {
    const wanted = headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
    const checksum = wanted ? checksumHeaders(info.checksum) : {};
    return { statusCode: 200, headers: { ...common, ...checksum, 'content-length': info.size } };
  }
  return {
    statusCode: 206,
    range,
    headers: {
      ...common,
      'content-length': range.end - range.start + 1,
      'content-range': `bytes ${range.start}-${range.end}/${info.size}`,
    },
  };
}

/** The parts of an upload are not kept apart once it is complete: an object has one part. */
function checkPartNumber(text: string | undefined): void {
  if (text === undefined || text === '1') return;
  throw new S3Error('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable');
}

/** Tags are never kept, which S3 says with an empty set. */
export async function getObjectTagging(call: S3Call): Promise<void> {
  await call.store.head(call.bucket, call.key);
  sendXml(call, 'Tagging', [['TagSet', '']]);
}
