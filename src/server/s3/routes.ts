import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
} from './buckets.js';
import { copyObject, uploadPartCopy } from './copy-object.js';
import { listObjectsV1, listObjectsV2 } from './list-objects.js';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from './multipart.js';
import { getObject, getObjectTagging, headObject } from './read-object.js';
import type { S3Call, S3Handler } from './s3-call.js';
import { notImplemented, S3Error } from './s3-error.js';
import { deleteObject, deleteObjects, putObject } from './write-object.js';

type Level = 'service' | 'bucket' | 'object';

interface Route {
  readonly method: string;
  readonly level: Level;
  /** The sub-resources in the query, all of them and no other. */
  readonly subresources: readonly string[];
  /** Set for the form of an operation that takes its bytes from another object. */
  readonly copies?: boolean;
  readonly handle: S3Handler;
}

const ROUTES: readonly Route[] = [
  { method: 'GET', level: 'service', subresources: [], handle: listBuckets },

  { method: 'PUT', level: 'bucket', subresources: [], handle: createBucket },
  { method: 'HEAD', level: 'bucket', subresources: [], handle: headBucket },
  { method: 'DELETE', level: 'bucket', subresources: [], handle: deleteBucket },
  { method: 'GET', level: 'bucket', subresources: [], handle: listObjects },
  { method: 'GET', level: 'bucket', subresources: ['location'], handle: getBucketLocation },
  { method: 'GET', level: 'bucket', subresources: ['versioning'], handle: getBucketVersioning },
  { method: 'GET', level: 'bucket', subresources: ['uploads'], handle: listMultipartUploads },
  { method: 'POST', level: 'bucket', subresources: ['delete'], handle: deleteObjects },

  { method: 'GET', level: 'object', subresources: [], handle: getObject },
  { method: 'GET', level: 'object', subresources: ['partNumber'], handle: getObject },
  { method: 'GET', level: 'object', subresources: ['tagging'], handle: getObjectTagging },
  { method: 'GET', level: 'object', subresources: ['uploadId'], handle: listParts },
  { method: 'HEAD', level: 'object', subresources: [], handle: headObject },
  { method: 'HEAD', level: 'object', subresources: ['partNumber'], handle: headObject },
  { method: 'PUT', level: 'object', subresources: [], handle: putObject },
  { method: 'PUT', level: 'object', subresources: [], copies: true, handle: copyObject },
  { method: 'PUT', level: 'object', subresources: ['partNumber', 'uploadId'], handle: uploadPart },
  {
    method: 'PUT',
    level: 'object',
    subresources: ['partNumber', 'uploadId'],
    copies: true,
    handle: uploadPartCopy,
  },
  { method: 'POST', level: 'object', subresources: ['uploads'], handle: createMultipartUpload },
  { method: 'POST', level: 'object', subresources: ['uploadId'], handle: completeMultipartUpload },
  { method: 'DELETE', level: 'object', subresources: [], handle: deleteObject },
  { method: 'DELETE', level: 'object', subresources: ['uploadId'], handle: abortMultipartUpload },
];

/**
 * The query parameters of S3 that make a request another operation. One that no route takes is
 * refused; a parameter that is not here changes nothing and is ignored, as S3 ignores it.
 */
const SUBRESOURCES = new Set([
  'accelerate',
  'acl',
  'analytics',
  'append',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metadataConfiguration',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'partNumber',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]);

/** The handler for a request. @throws S3Error NotImplemented, MethodNotAllowed */
export function findHandler(
  call: Pick<S3Call, 'method' | 'bucket' | 'key' | 'query' | 'headers'>,
): S3Handler {
  const level: Level = call.key !== '' ? 'object' : call.bucket !== '' ? 'bucket' : 'service';
  const subresources = [...call.query]
    .filter(
      ([name, value]) => SUBRESOURCES.has(name) && !(name === 'versionId' && value === 'null'),
    )
    .map(([name]) => name)
    .sort();
  const wanted = subresources.join('&');
  const copies = call.headers.has('x-amz-copy-source');
  const atLevel = ROUTES.filter((route) => route.method === call.method && route.level === level);
  const fitting = atLevel.filter((route) => route.subresources.join('&') === wanted);
  const route = fitting.find((one) => (one.copies ?? false) === copies) ?? fitting[0];
  if (route !== undefined) return route.handle;
  if (subresources.length > 0) {
    throw notImplemented(`A ${call.method} of the sub-resource ${subresources.join(', ')}`);
  }
  throw new S3Error(
    'MethodNotAllowed',
    405,
    'The specified method is not allowed against this resource.',
  );
}

/** Version 2 of ListObjects says so in a parameter of its own. */
function listObjects(call: S3Call): Promise<void> {
  return call.query.get('list-type') === '2' ? listObjectsV2(call) : listObjectsV1(call);
}
