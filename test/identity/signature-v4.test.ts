import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  AuthenticationError,
  unknownSessionToken,
} from '#burnish/identity/authentication-error.js';
import { chunkSignature, trailerSignature } from '#burnish/identity/chunk-signature.js';
import type { UserPrincipal } from '#burnish/identity/principal.js';
import {
  type AccessKey,
  headersFromRaw,
  type SignedRequest,
  type VerifyOptions,
  verifySignature,
} from '#burnish/identity/signature-v4.js';

const userOf = (userName: string): UserPrincipal => ({
  kind: 'user',
  arn: `arn:aws:iam::123456789012:user/${userName}`,
  accountId: '123456789012',
  userId: `AIDA${userName}`,
  userName,
});

const EMPTY = createHash('sha256').digest('hex');

/** The credentials of the worked examples in the Amazon S3 API reference. */
const S3_KEY: AccessKey = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  principal: userOf('s3'),
};
/** The credentials of AWS's Signature Version 4 test suite. */
const SUITE_KEY: AccessKey = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  principal: userOf('suite'),
};
/** The session token of the suite's requests with one. */
const SUITE_TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';
const keys = (id: string, token: string | undefined) => {
  if (token !== undefined && token !== SUITE_TOKEN) throw unknownSessionToken();
  return [S3_KEY, SUITE_KEY].find((key) => key.accessKeyId === id);
};

const S3_OPTIONS: VerifyOptions = {
  now: new Date('2013-05-24T00:00:00Z'),
  region: 'us-east-1',
  service: 's3',
  maxSkewSeconds: 900,
};
const SUITE_OPTIONS: VerifyOptions = {
  now: new Date('2015-08-30T12:36:00Z'),
  region: 'us-east-1',
  service: 'service',
  maxSkewSeconds: 300,
};

function s3Request(
  method: string,
  rawUrl: string,
  headers: Record<string, string>,
  signature: string,
): SignedRequest {
  const all = new Map(Object.entries({ host: 'examplebucket.s3.amazonaws.com', ...headers }));
  const signed = [...all.keys()].sort().join(';');
  all.set(
    'authorization',
    `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signed},Signature=${signature}`,
  );
  return { method, rawUrl, headers: all };
}

function suiteRequest(
  method: string,
  rawUrl: string,
  rawHeaders: readonly string[],
  signature: string,
  body = '',
): SignedRequest {
  const headers = headersFromRaw(rawHeaders);
  const signed = [...headers.keys()].sort().join(';');
  headers.set(
    'authorization',
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
  );
  return {
    method,
    rawUrl,
    headers,
    payloadHash: createHash('sha256').update(body).digest('hex'),
  };
}

function failure(act: () => unknown): AuthenticationError {
  try {
    act();
  } catch (error) {
    if (error instanceof AuthenticationError) return error;
    throw error;
  }
  throw new Error('the signature was accepted');
}

const GET_OBJECT = s3Request(
  'GET',
  '/test.txt',
  { range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' },
  'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
);

const VANILLA_HEADERS = ['Host', 'example.amazonaws.com', 'X-Amz-Date', '20150830T123600Z'];
const VANILLA = suiteRequest(
  'GET',
  '/',
  VANILLA_HEADERS,
  '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
);

describe("the test suite's request with a session token", () => {
  const request = suiteRequest(
    'POST',
    '/',
    [...VANILLA_HEADERS, 'X-Amz-Security-Token', SUITE_TOKEN],
    '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  );

  it('holds', () => {
    expect(verifySignature(request, keys, SUITE_OPTIONS).accessKeyId).toBe('AKIDEXAMPLE');
  });

  it('does not hold with another token', () => {
    const headers = new Map(request.headers).set('x-amz-security-token', `${SUITE_TOKEN}x`);
    expect(() => verifySignature({ ...request, headers }, keys, SUITE_OPTIONS)).toThrow(
      'The security token included in the request is invalid.',
    );
  });
});

describe('the S3 API reference: worked examples of header signatures', () => {
  it('GET object', () => {
    const verified = verifySignature(GET_OBJECT, keys, S3_OPTIONS);
    expect(verified).toMatchObject({
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      principal: userOf('s3'),
      service: 's3',
      region: 'us-east-1',
      scope: '20130524/us-east-1/s3/aws4_request',
      payloadHash: EMPTY,
      presigned: false,
    });
    expect(verified.signedAt.toISOString()).toBe('2013-05-24T00:00:00.000Z');
  });

  it.each([
    [
      'PUT object, with a Date header and a key to encode',
      s3Request(
        'PUT',
        '/test$file.text',
        {
          date: 'Fri, 24 May 2013 00:00:00 GMT',
          'x-amz-content-sha256':
            '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
          'x-amz-date': '20130524T000000Z',
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        },
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    ],
    [
      'GET bucket lifecycle, a parameter without a value',
      s3Request(
        'GET',
        '/?lifecycle',
        { 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' },
        'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
      ),
    ],
    [
      'list objects',
      s3Request(
        'GET',
        '/?max-keys=2&prefix=J',
        { 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z' },
        '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
      ),
    ],
  ])('%s', (_name, request) => {
    expect(verifySignature(request, keys, S3_OPTIONS).accessKeyId).toBe('AKIAIOSFODNN7EXAMPLE');
  });
});

describe('the S3 API reference: presigned URL', () => {
  const url =
    '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404';
  const request: SignedRequest = {
    method: 'GET',
    rawUrl: url,
    headers: new Map([['host', 'examplebucket.s3.amazonaws.com']]),
  };
  const at = (iso: string) => ({ ...S3_OPTIONS, now: new Date(iso) });

  it('holds for as long as it says', () => {
    const verified = verifySignature(request, keys, at('2013-05-24T23:59:59Z'));
    expect(verified).toMatchObject({ presigned: true, payloadHash: 'UNSIGNED-PAYLOAD' });
  });

  it('is refused after that', () => {
    const error = failure(() => verifySignature(request, keys, at('2013-05-25T00:00:01Z')));
    expect(error.s3).toEqual({
      code: 'AccessDenied',
      message: 'Request has expired',
      statusCode: 403,
    });
  });

  it('is refused before its time, for another method, key or lifetime', () => {
    expect(
      failure(() => verifySignature(request, keys, at('2013-05-23T23:00:00Z'))).message,
    ).toMatch(/^Signature not yet current: 20130524T000000Z is still later than /);
    for (const changed of [
      { ...request, method: 'DELETE' },
      { ...request, rawUrl: url.replace('/test.txt', '/other.txt') },
      { ...request, rawUrl: url.replace('86400', '86401') },
      { ...request, rawUrl: `${url}&response-content-type=text%2Fhtml` },
    ]) {
      expect(failure(() => verifySignature(changed, keys, S3_OPTIONS)).s3.code).toBe(
        'SignatureDoesNotMatch',
      );
    }
  });

  it.each(['0', '-1', '604801', '1e3', ''])('refuses X-Amz-Expires=%s', (expires) => {
    const changed = { ...request, rawUrl: url.replace('86400', expires) };
    expect(failure(() => verifySignature(changed, keys, S3_OPTIONS)).s3.code).toBe(
      'AuthorizationQueryParametersError',
    );
  });
});

describe('the S3 API reference: chunked uploads', () => {
  const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
  const chunks = ['a'.repeat(65_536), 'a'.repeat(1024), ''];
  const headers = {
    host: 's3.amazonaws.com',
    'content-encoding': 'aws-chunked',
    'x-amz-date': '20130524T000000Z',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  };

  it('signs every chunk on top of the one before', () => {
    const request = s3Request(
      'PUT',
      '/examplebucket/chunkObject.txt',
      {
        ...headers,
        'content-length': '66824',
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      },
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    );
    const verified = verifySignature(request, keys, S3_OPTIONS);
    const signatures: string[] = [];
    for (const chunk of chunks) {
      signatures.push(
        chunkSignature(verified, signatures.at(-1) ?? verified.signature, sha256(chunk)),
      );
    }
    expect(signatures).toEqual([
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ]);
  });

  it('signs trailing headers last', () => {
    const request = s3Request(
      'PUT',
      '/examplebucket/chunkObject.txt',
      {
        ...headers,
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
        'x-amz-trailer': 'x-amz-checksum-crc32c',
      },
      '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
    );
    const verified = verifySignature(request, keys, S3_OPTIONS);
    let previous = verified.signature;
    for (const chunk of chunks) previous = chunkSignature(verified, previous, sha256(chunk));
    expect(previous).toBe('2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992');
    expect(trailerSignature(verified, previous, 'x-amz-checksum-crc32c:sOO8/Q==\n')).toBe(
      'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
    );
  });
});

describe("AWS's Signature Version 4 test suite", () => {
  const form = ['Content-Type', 'application/x-www-form-urlencoded'];
  it.each([
    ['get-vanilla', VANILLA],
    [
      'post-vanilla',
      suiteRequest(
        'POST',
        '/',
        VANILLA_HEADERS,
        '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
      ),
    ],
    [
      'get-vanilla-query-order-key-case',
      suiteRequest(
        'GET',
        '/?Param2=value2&Param1=value1',
        VANILLA_HEADERS,
        'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
      ),
    ],
    [
      'get-utf8',
      suiteRequest(
        'GET',
        Buffer.from('/ሴ', 'utf8').toString('latin1'),
        VANILLA_HEADERS,
        '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
      ),
    ],
    [
      'get-header-value-trim',
      suiteRequest(
        'GET',
        '/',
        [
          'Host',
          'example.amazonaws.com',
          'My-Header1',
          ' value1',
          'My-Header2',
          ' "a   b   c"',
          'X-Amz-Date',
          '20150830T123600Z',
        ],
        'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
      ),
    ],
    [
      'get-relative: the path is normalized',
      suiteRequest(
        'GET',
        '/example/..',
        VANILLA_HEADERS,
        '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
      ),
    ],
    [
      'get-slashes: empty segments go',
      suiteRequest(
        'GET',
        '//example//',
        VANILLA_HEADERS,
        '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
      ),
    ],
    [
      'post-x-www-form-urlencoded',
      suiteRequest(
        'POST',
        '/',
        [...form, ...VANILLA_HEADERS],
        'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
        'Param1=value1',
      ),
    ],
  ])('%s', (_name, request) => {
    expect(verifySignature(request, keys, SUITE_OPTIONS).accessKeyId).toBe('AKIDEXAMPLE');
  });
});

describe('what is refused, in the wording AWS uses', () => {
  const withHeader = (request: SignedRequest, name: string, value: string): SignedRequest => ({
    ...request,
    headers: new Map([...request.headers, [name, value]]),
  });
  const authorized = (text: string) => withHeader(VANILLA, 'authorization', text);
  const check = (request: SignedRequest, options: VerifyOptions = SUITE_OPTIONS) =>
    failure(() => verifySignature(request, keys, options));

  it('no signature at all', () => {
    const error = check({ method: 'POST', rawUrl: '/', headers: new Map([['host', 'x']]) });
    expect(error).toMatchObject({
      code: 'MissingAuthenticationTokenException',
      message: 'Missing Authentication Token',
      statusCode: 400,
      s3: { code: 'AccessDenied', statusCode: 403 },
    });
  });

  it.each([
    'Basic dXNlcjpwYXNz',
    'AWS4-HMAC-SHA256',
    'AWS4-HMAC-SHA256 Credential=a/b',
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date',
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service, SignedHeaders=host;x-amz-date, Signature=00',
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=x-amz-date;host, Signature=00',
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=Host;X-Amz-Date, Signature=00',
  ])('a malformed Authorization header: %s', (header) => {
    expect(check(authorized(header))).toMatchObject({
      code: 'IncompleteSignatureException',
      s3: { code: 'AuthorizationHeaderMalformed' },
    });
  });

  it('an access key nobody has', () => {
    const header = VANILLA.headers.get('authorization') ?? '';
    const error = check(authorized(header.replace('AKIDEXAMPLE', 'AKIDSTRANGER')));
    expect(error).toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
      s3: { code: 'InvalidAccessKeyId', statusCode: 403 },
    });
  });

  it('a session token that was never given out', () => {
    expect(check(withHeader(VANILLA, 'x-amz-security-token', 'abc'))).toMatchObject({
      code: 'UnrecognizedClientException',
      s3: { code: 'InvalidToken' },
    });
  });

  it('any change to what was signed', () => {
    const header = VANILLA.headers.get('authorization') ?? '';
    for (const changed of [
      { ...VANILLA, method: 'PUT' },
      { ...VANILLA, rawUrl: '/other' },
      { ...VANILLA, rawUrl: '/?a=b' },
      { ...VANILLA, payloadHash: createHash('sha256').update('x').digest('hex') },
      withHeader(VANILLA, 'host', 'evil.example'),
      withHeader(VANILLA, 'x-amz-date', '20150830T123601Z'),
      authorized(header.replace(/.$/, '0')),
      authorized(header.slice(0, -1)),
    ]) {
      const error = check(changed);
      expect(error.code).toBe('InvalidSignatureException');
      expect(error.message).toMatch(
        /^The request signature we calculated does not match the signature you provided\./,
      );
      expect(error.s3).toMatchObject({ code: 'SignatureDoesNotMatch', statusCode: 403 });
    }
  });

  it('a clock too far off, either way', () => {
    const late = check(VANILLA, { ...SUITE_OPTIONS, now: new Date('2015-08-30T12:41:01Z') });
    expect(late).toMatchObject({
      code: 'InvalidSignatureException',
      message:
        'Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)',
      s3: { code: 'RequestTimeTooSkewed', statusCode: 403 },
    });
    const early = check(VANILLA, { ...SUITE_OPTIONS, now: new Date('2015-08-30T12:30:59Z') });
    expect(early.message).toBe(
      'Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)',
    );
  });

  it('a credential for another service, region or day', () => {
    expect(check(VANILLA, { ...SUITE_OPTIONS, service: 'sagemaker' }).message).toBe(
      "Credential should be scoped to correct service: 'sagemaker'.",
    );
    expect(check(VANILLA, { ...SUITE_OPTIONS, region: 'eu-west-1' }).message).toContain(
      "expecting 'eu-west-1'",
    );
    const header = VANILLA.headers.get('authorization') ?? '';
    expect(check(authorized(header.replace('/20150830/', '/20150829/'))).message).toContain(
      "'20150829' != '20150830'",
    );
  });

  it('a host or x-amz- header that is not signed', () => {
    expect(check(withHeader(VANILLA, 'x-amz-target', 'SageMaker.DeleteOptimizationJob'))).toEqual(
      expect.objectContaining({
        code: 'InvalidSignatureException',
        message: "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
      }),
    );
    const error = failure(() =>
      verifySignature(withHeader(GET_OBJECT, 'x-amz-copy-source', 'a/b'), keys, S3_OPTIONS),
    );
    expect(error.s3).toMatchObject({ code: 'AccessDenied', statusCode: 403 });
  });

  it('S3 without a content hash', () => {
    const request = s3Request('GET', '/test.txt', { 'x-amz-date': '20130524T000000Z' }, '00');
    expect(failure(() => verifySignature(request, keys, S3_OPTIONS)).s3).toEqual({
      code: 'InvalidRequest',
      message: 'Missing required header for this request: x-amz-content-sha256',
      statusCode: 400,
    });
  });

  it('both a header and a presigned query', () => {
    expect(check({ ...VANILLA, rawUrl: '/?X-Amz-Signature=00' }).message).toMatch(/^Only one auth/);
  });
});
