import { objectArn } from '../../identity/s3-arns.js';
import { checksumHeaders } from './checksum-headers.js';
import { writeCondition } from './conditions.js';
import { encryptionHeaders, readEncryption } from './encryption-headers.js';
import { readMetadata, readObjectHeaders } from './object-headers.js';
import { openBody, readSmallBody } from './request-body.js';
import { quoted, type S3Call, sendEmpty, sendXml } from './s3-call.js';
import { asS3Error, malformedXml, S3Error } from './s3-error.js';
import { children, childText, parseXml, type XmlNode } from './xml.js';

/** S3's bound on keys in one DeleteObjects. */
const MAX_DELETED_KEYS = 1000;
/** 1,000 keys of 1,024 bytes, each byte escaped, with their tags. */
const MAX_DELETE_BYTES = 8 * 1024 * 1024;
/** Files removed together. */
const DELETIONS_AT_ONCE = 8;

/**
 * Takes in an object, whole or not at all.
 * @throws S3Error InvalidRequest; ObjectStoreError NoSuchBucket, BadDigest, IncompleteBody,
 * PreconditionFailed
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export async function putObject(call: S3Call): Promise<void> {
  const { store, bucket, key, headers } = call;
  const body = openBody(call);
  const info = await store.write(bucket, key, body.bytes, {
    expectedLength: body.length,
    demands: body.demands,
    ...(body.checksum === undefined ? {} : { checksum: body.checksum }),
    headers: readObjectHeaders(headers),
    metadata: readMetadata(headers),
    condition: writeCondition(headers),
    ...readEncryption(call),
  });
  sendEmpty(call, 200, {
    etag: quoted(info.etag),
    ...checksumHeaders(info.checksum),
    ...encryptionHeaders(info.encryption),
    'content-length': 0,
  });
}

/**
 * Removes an object; one that is not there is gone already.
 * @throws ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
export async function deleteObject(call: S3Call): Promise<void> {
  await call.store.remove(call.bucket, call.key);
  sendEmpty(call, 204);
}

/**
 * Removes up to 1,000 objects; the answer has what became of each.
 * @throws S3Error MalformedXML; ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export async function deleteObjects(call: S3Call): Promise<void> {
  await call.store.headBucket(call.bucket);
  const request = parseXml(await readSmallBody(call, MAX_DELETE_BYTES), 'Delete');
  const quiet = childText(request, 'Quiet') === 'true';
  const keys = children(request, 'Object').map((object) => {
    const key = childText(object, 'Key');
    if (key === undefined || key === '') throw malformedXml();
    return { key, versionId: childText(object, 'VersionId') };
  });
  if (keys.length === 0 || keys.length > MAX_DELETED_KEYS) throw malformedXml();
  const results: XmlNode[] = [];
  for (let from = 0; from < keys.length; from += DELETIONS_AT_ONCE) {
    const group = keys.slice(from, from + DELETIONS_AT_ONCE);
    results.push(
      ...(await Promise.all(group.map(({ key, versionId }) => deleteOne(call, key, versionId)))),
    );
  }
  sendXml(
    call,
    'DeleteResult',
    results.filter(([name]) => !quiet || name === 'Error'),
  );
}

async function deleteOne(
  call: S3Call,
  key: string,
  versionId: string | undefined,
): Promise<XmlNode> {
  try {
    if (versionId !== undefined && versionId !== 'null') {
      throw new S3Error('NoSuchVersion', 404, 'The specified version does not exist.');
    }
    await call.authorize({ action: 's3:DeleteObject', resource: objectArn(call.bucket, key) });
    await call.store.remove(call.bucket, key);
    return ['Deleted', [['Key', key]]];
  } catch (error) {
    const known = asS3Error(error);
    if (known === undefined) throw error;
    return [
      'Error',
      [
        ['Key', key],
        ['Code', known.code],
        ['Message', known.message],
      ],
    ];
  }
}
