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
import {
  askedForEachKey,
  copying,
  listing,
  listingBuckets,
  onBucket,
  onObject,
  type PermissionRule,
} from './permissions.js';
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
  /** What the caller's policies must allow. */
  readonly permissions: PermissionRule;
}

const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    level: 'service',
    subresources: [],
    handle: listBuckets,
    permissions: listingBuckets,
  },

  {
    method: 'PUT',
    level: 'bucket',
    subresources: [],
    handle: createBucket,
    permissions: onBucket('s3:CreateBucket'),
  },
  { method: 'HEAD', level: 'bucket', subresources: [], handle: headBucket, permissions: listing },
  {
    method: 'DELETE',
    level: 'bucket',
    subresources: [],
    handle: deleteBucket,
    permissions: onBucket('s3:DeleteBucket'),
  },
  { method: 'GET', level: 'bucket', subresources: [], handle: listObjects, permissions: listing },
  {
    method: 'GET',
    level: 'bucket',
    subresources: ['location'],
    handle: getBucketLocation,
    permissions: onBucket('s3:GetBucketLocation'),
  },
  {
    method: 'GET',
    level: 'bucket',
    subresources: ['versioning'],
    handle: getBucketVersioning,
    permissions: onBucket('s3:GetBucketVersioning'),
  },
  {
    method: 'GET',
    level: 'bucket',
    subresources: ['uploads'],
    handle: listMultipartUploads,
    permissions: onBucket('s3:ListBucketMultipartUploads'),
  },
  {
    method: 'POST',
    level: 'bucket',
    subresources: ['delete'],
    handle: deleteObjects,
    permissions: askedForEachKey,
  },

  {
    method: 'GET',
    level: 'object',
    subresources: [],
    handle: getObject,
    permissions: onObject('s3:GetObject'),
  },
  {
    method: 'GET',
    level: 'object',
    subresources: ['partNumber'],
    handle: getObject,
    permissions: onObject('s3:GetObject'),
  },
  {
    method: 'GET',
    level: 'object',
    subresources: ['tagging'],
    handle: getObjectTagging,
    permissions: onObject('s3:GetObjectTagging'),
  },
  {
    method: 'GET',
    level: 'object',
    subresources: ['uploadId'],
    handle: listParts,
    permissions: onObject('s3:ListMultipartUploadParts'),
  },
  {
    method: 'HEAD',
    level: 'object',
    subresources: [],
    handle: headObject,
    permissions: onObject('s3:GetObject'),
  },
  {
    method: 'HEAD',
    level: 'object',
    subresources: ['partNumber'],
    handle: headObject,
    permissions: onObject('s3:GetObject'),
  },
  {
    method: 'PUT',
    level: 'object',
    subresources: [],
    handle: putObject,
    permissions: onObject('s3:PutObject'),
  },
  {
    method: 'PUT',
    level: 'object',
    subresources: [],
    copies: true,
    handle: copyObject,
    permissions: copying,
  },
  {
    method: 'PUT',
    level: 'object',
    subresources: ['partNumber', 'uploadId'],
    handle: uploadPart,
    permissions: onObject('s3:PutObject'),
  },
  {
    method: 'PUT',
    level: 'object',
    subresources: ['partNumber', 'uploadId'],
    copies: true,
    handle: uploadPartCopy,
    permissions: copying,
  },
  {
    method: 'POST',
    level: 'object',
    subresources: ['uploads'],
    handle: createMultipartUpload,
    permissions: onObject('s3:PutObject'),
  },
  {
    method: 'POST',
    level: 'object',
    subresources: ['uploadId'],
    handle: completeMultipartUpload,
    permissions: onObject('s3:PutObject'),
  },
  {
    method: 'DELETE',
    level: 'object',
    subresources: [],
    handle: deleteObject,
    permissions: onObject('s3:DeleteObject'),
  },
  {
    method: 'DELETE',
    level: 'object',
    subresources: ['uploadId'],
    handle: abortMultipartUpload,
    permissions: onObject('s3:AbortMultipartUpload'),
  },
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

/** The route of a request. @throws S3Error NotImplemented, MethodNotAllowed */
export function findRoute(
  call: Pick<S3Call, 'method' | 'bucket' | 'key' | 'query' | 'headers'>,
): Pick<Route, 'handle' | 'permissions'> {
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
  if (route !== undefined) return route;
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
