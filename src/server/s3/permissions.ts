/**
 * What each request asks of the caller's policies.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
import type { Permission } from '../../identity/authorizer.js';
import { bucketArn, objectArn } from '../../identity/s3-arns.js';
import { readSource } from './copy-object.js';
import type { S3Call } from './s3-call.js';

/** What the caller’s policies must allow for a request. */
export type PermissionRule = (
  call: Pick<S3Call, 'bucket' | 'key' | 'query' | 'headers'>,
) => readonly Permission[];

/** One action on the request’s bucket. */
export const onBucket =
  (action: string): PermissionRule =>
  ({ bucket }) => [{ action, resource: bucketArn(bucket) }];

/** One action on the request’s object. */
export const onObject =
  (action: string): PermissionRule =>
  ({ bucket, key }) => [{ action, resource: objectArn(bucket, key) }];

/** Seeing which buckets there are. */
export const listingBuckets: PermissionRule = () => [
  { action: 's3:ListAllMyBuckets', resource: '*' },
];

/** Listing the request’s bucket, with what conditions may look at. */
export const listing: PermissionRule = ({ bucket, query }) => [
  {
    action: 's3:ListBucket',
    resource: bucketArn(bucket),
    context: {
      's3:prefix': query.get('prefix'),
      's3:delimiter': query.get('delimiter'),
      's3:max-keys': query.get('max-keys'),
    },
  },
];

/** A copy reads one object and writes another. */
export const copying: PermissionRule = (call) => {
  const source = readSource(call);
  return [
    { action: 's3:GetObject', resource: objectArn(source.bucket, source.key) },
    { action: 's3:PutObject', resource: objectArn(call.bucket, call.key) },
  ];
};

/** Each key of the document is asked for by itself. */
export const askedForEachKey: PermissionRule = () => [];
