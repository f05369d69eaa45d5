import { describe, expect, it } from 'vitest';
import { formatS3Uri, InvalidS3UriError, isInside, parseS3Uri } from '#burnish/objects/s3-uri.js';

describe('S3 URIs', () => {
  it.each([
    ['s3://models/llama', 'models', 'llama'],
    ['s3://models/llama/', 'models', 'llama'],
    ['s3://models', 'models', ''],
    ['s3://models/', 'models', ''],
    ['s3://my.models-2/a/b c/ü+.tar.gz', 'my.models-2', 'a/b c/ü+.tar.gz'],
    ['https://models.s3.amazonaws.com/a/b', 'models', 'a/b'],
    ['https://my.models.s3.eu-central-1.amazonaws.com/a%20b/', 'my.models', 'a b'],
    ['https://models.s3-us-west-2.amazonaws.com/a', 'models', 'a'],
    ['https://models.s3.dualstack.us-west-2.amazonaws.com/a', 'models', 'a'],
    ['https://models.s3-fips.us-gov-west-1.amazonaws.com/a', 'models', 'a'],
    ['https://models.s3.cn-north-1.amazonaws.com.cn/a', 'models', 'a'],
    ['https://s3.amazonaws.com/models/a/b', 'models', 'a/b'],
    ['https://s3.us-west-2.amazonaws.com/models', 'models', ''],
    ['https://s3-us-west-2.amazonaws.com/models/a', 'models', 'a'],
    ['https://S3.AmazonAWS.com/models/a', 'models', 'a'],
    ['https://localhost:4580/models/a', 'models', 'a'],
  ])('%s', (uri, bucket, key) => {
    const location = parseS3Uri(uri, { endpointHosts: ['localhost:4580'] });
    expect(location).toEqual({ bucket, key });
    expect(parseS3Uri(formatS3Uri(location))).toEqual(location);
  });

  it.each([
    ['', 's3:// or https://'],
    ['/etc/passwd', 's3:// or https://'],
    ['file:///etc/passwd', 's3:// or https://'],
    ['http://s3.amazonaws.com/models/a', 's3:// or https://'],
    ['s3:/models/a', 's3:// or https://'],
    ['s3://', 'bucket name'],
    ['s3:///a', 'bucket name'],
    ['s3://ab/a', '3 to 63'],
    ['s3://Models/a', 'lower-case'],
    ['s3://../a', 'bucket name'],
    ['s3://a..b/a', 'dots'],
    ['s3://127.0.0.1/a', 'IP address'],
    ['s3://models\0/a', 'NUL'],
    ['s3://models/a/../b', '".."'],
    ['s3://models/..', '".."'],
    ['s3://models/./a', '"."'],
    ['s3://models//a', 'empty path segment'],
    ['s3://models/a//', 'empty path segment'],
    ['s3://models/a\0b', 'NUL'],
    ['s3://models/a\\..\\b', 'backslash'],
    ['s3://models/%2e%2e/a', 'encoded'],
    ['s3://models/a%2F..%2fb', 'encoded'],
    ['s3://models/a%00', 'encoded'],
    [`s3://models/${'a'.repeat(256)}`, '255 bytes'],
    [`s3://models/${'a/'.repeat(600)}`, 'longer than'],
    ['https://models.s3.amazonaws.com/a/%2e%2e/b', '".."'],
    ['https://models.s3.amazonaws.com/a%2f..%2fb', '".."'],
    ['https://models.s3.amazonaws.com/%252e%252e/b', 'encoded'],
    ['https://models.s3.amazonaws.com/%ff', 'percent-encoded'],
    ['https://models.s3.amazonaws.com/a?versionId=1', 'query'],
    ['https://user@models.s3.amazonaws.com/a', 'user name'],
    ['https://models.s3.amazonaws.com.evil.example/a', 'host'],
    ['https://evil.example/models/a', 'host'],
    ['https://localhost/models/a', 'host'],
    ['https://s3.amazonaws.com/', 'bucket name'],
    ['s3://models/\ud800', 'UTF-8'],
  ])('refuses %j', (uri, reason) => {
    const parse = () => parseS3Uri(uri, { endpointHosts: ['localhost:4580'] });
    expect(parse).toThrow(InvalidS3UriError);
    expect(parse).toThrow(reason);
  });
});

describe('what lies inside what', () => {
  it.each([
    ['s3://b-1/m', 's3://b-1/m/out', true],
    ['s3://b-1/m', 's3://b-1/m', true],
    ['s3://b-1', 's3://b-1/m', true],
    ['s3://b-1/model', 's3://b-1/model2', false],
    ['s3://b-1/m/out', 's3://b-1/m', false],
    ['s3://b-1/m', 's3://b-2/m', false],
    ['s3://b-1', 's3://b-12/m', false],
  ])('%s around %s: %s', (outer, inner, inside) => {
    expect(isInside(parseS3Uri(outer), parseS3Uri(inner))).toBe(inside);
  });
});
