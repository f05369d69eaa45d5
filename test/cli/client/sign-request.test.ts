import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signRequest } from '#burnish/cli/client/sign-request.js';
import { rootPrincipal } from '#burnish/identity/principal.js';
import { verifySignature } from '#burnish/identity/signature-v4.js';

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

const sign = (path: string, body: string, sessionToken?: string) => {
  const url = new URL(path, 'http://127.0.0.1:4580');
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    host: url.host,
    'x-amz-target': 'SageMaker.ListTags',
  };
  return signRequest(
    { url, headers, body },
    { ...KEY, ...(sessionToken === undefined ? {} : { sessionToken }) },
    { region: 'eu-west-1', service: 'sagemaker' },
  );
};

const verify = (path: string, body: string, headers: Readonly<Record<string, string>>) =>
  verifySignature(
    {
      method: 'POST',
      rawUrl: path,
      headers: new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      payloadHash: createHash('sha256').update(body).digest('hex'),
    },
    (id) =>
      id === KEY.accessKeyId ? { ...KEY, principal: rootPrincipal('000000000000') } : undefined,
    { now: new Date(), maxSkewSeconds: 300, region: 'eu-west-1', service: 'sagemaker' },
  );

describe('a signed request', () => {
  it.each([
    ['/', '{}'],
    ['/a/path/', '{"ResourceArn":"arn"}'],
    ['/', '{"é":"日本 😀"}'],
  ])('to %s with %s is one that the service believes', async (path, body) => {
    const headers = await sign(path, body);
    expect(verify(path, body, headers)).toMatchObject({ accessKeyId: KEY.accessKeyId });
  });

  it('is good for its own body and path only', async () => {
    const headers = await sign('/', '{}');
    expect(() => verify('/', '{"a":1}', headers)).toThrow('signature');
    expect(() => verify('/other', '{}', headers)).toThrow('signature');
    expect(() => verify('/', '{}', { ...headers, 'x-amz-target': 'SageMaker.AddTags' })).toThrow();
  });

  it('carries the token of a session', async () => {
    expect((await sign('/', '{}', 'the-token'))['x-amz-security-token']).toBe('the-token');
  });
});
