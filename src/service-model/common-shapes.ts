/** Shapes that several operations share: names, ARNs, tags, S3 URIs, pagination. */
import { list, required, string, structure, timestamp } from './shape.js';

export const EntityName = string({
  minLength: 1,
  maxLength: 63,
  pattern: '[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}',
});

export const ResourceArn = string({
  maxLength: 256,
  pattern: 'arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+',
});

export const RoleArn = string({
  minLength: 20,
  maxLength: 2048,
  pattern: 'arn:aws[a-z\\-]*:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+',
});

export const S3Uri = string({ maxLength: 1024, pattern: '(https|s3)://([^/]+)/?(.*)' });

export const KmsKeyId = string({ maxLength: 2048, pattern: '[a-zA-Z0-9:/_-]*' });

export const NextToken = string({ maxLength: 8192, pattern: '.*' });

export const Timestamp = timestamp;

const TagKey = string({
  minLength: 1,
  maxLength: 128,
  pattern: '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)',
});

const TagValue = string({
  maxLength: 256,
  pattern: '([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)',
});

export const Tag = structure('Tag', {
  Key: required(TagKey, 'The key of the tag, unique among the tags of one resource.'),
  Value: required(TagValue, 'The value of the tag; it may be empty.'),
});

export const TagList = list(Tag, { minLength: 0, maxLength: 50 });

export const TagKeyList = list(TagKey, { minLength: 1, maxLength: 50 });
