import { ObjectStoreError } from '../../objects/errors.js';
import { readSmallBody } from './request-body.js';
import { type S3Call, sendEmpty, sendXml } from './s3-call.js';
import { S3Error } from './s3-error.js';
import { childText, parseXml } from './xml.js';

/** A CreateBucketConfiguration has a region and a few options. */
const MAX_CONFIGURATION_BYTES = 64 * 1024;

/** The region whose name S3 leaves out, and whose buckets may be created again by their owner. */
const HOME_REGION = 'us-east-1';

/**
 * The buckets that there are, or those whose names begin with `prefix`, in one page.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
 */
export async function listBuckets(call: S3Call): Promise<void> {
  const prefix = call.query.get('prefix') ?? '';
  const buckets = (await call.store.listBuckets()).filter(({ name }) => name.startsWith(prefix));
  sendXml(call, 'ListAllMyBucketsResult', [
    ['Owner', ownerNodes(call)],
    [
      'Buckets',
      buckets.map(({ name, createdAt }) => [
        'Bucket',
        [
          ['Name', name],
          ['CreationDate', createdAt],
        ],
      ]),
    ],
  ]);
}

/** Everything belongs to the account that asks. */
export function ownerNodes(call: S3Call) {
  const account = call.verified.principal.accountId;
  return [
    ['ID', account],
    ['DisplayName', account],
  ] as const;
}

/**
 * Makes a bucket. In us-east-1 the owner may make it again, as in S3.
 * @throws S3Error IllegalLocationConstraintException, MalformedXML; ObjectStoreError
 * BucketAlreadyOwnedByYou, InvalidBucketName
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
export async function createBucket(call: S3Call): Promise<void> {
  const text = await readSmallBody(call, MAX_CONFIGURATION_BYTES);
  if (text !== '') {
    const configuration = parseXml(text, 'CreateBucketConfiguration');
    const region = childText(configuration, 'LocationConstraint') ?? call.region;
    if (region !== call.region) {
      throw new S3Error(
        'IllegalLocationConstraintException',
        400,
        `The ${region} location constraint is incompatible for the region specific endpoint this request was sent to: this service is in ${call.region}.`,
      );
    }
  }
  try {
    await call.store.createBucket(call.bucket);
  } catch (error) {
    const again = error instanceof ObjectStoreError && error.code === 'BucketAlreadyOwnedByYou';
    if (!again || call.region !== HOME_REGION) throw error;
  }
  sendEmpty(call, 200, { location: `/${call.bucket}`, 'content-length': 0 });
}

/**
 * Whether a bucket is there, and its region.
 * @throws ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 */
export async function headBucket(call: S3Call): Promise<void> {
  await call.store.headBucket(call.bucket);
  sendEmpty(call, 200, { 'x-amz-bucket-region': call.region });
}

/**
 * Removes an empty bucket.
 * @throws ObjectStoreError NoSuchBucket, BucketNotEmpty
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
 */
export async function deleteBucket(call: S3Call): Promise<void> {
  await call.store.deleteBucket(call.bucket);
  sendEmpty(call, 204);
}

/**
 * The region of a bucket; us-east-1 is an empty document, as in S3.
 * @throws ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 */
export async function getBucketLocation(call: S3Call): Promise<void> {
  await call.store.headBucket(call.bucket);
  sendXml(call, 'LocationConstraint', call.region === HOME_REGION ? '' : call.region);
}

/** Versions are never kept, which S3 says with an empty document. */
export async function getBucketVersioning(call: S3Call): Promise<void> {
  await call.store.headBucket(call.bucket);
  sendXml(call, 'VersioningConfiguration', '');
}
