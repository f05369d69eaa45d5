import { createHash, createHmac } from 'node:crypto';

interface SigningTarget {
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

interface SignedRequestInit {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** What goes over the wire instead of the body that was signed. */
  readonly sendInstead?: string;
}

/** A POST to `/`, signed for `sagemaker` by the letter of the specification and no library. */
export async function signedFetch(
  { url, credentials }: SigningTarget,
  { headers, body, sendInstead }: SignedRequestInit,
): Promise<Response> {
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${time.slice(0, 8)}/us-east-1/sagemaker/aws4_request`;
  const signed: Record<string, string> = {
    host: new URL(url).host,
    'x-amz-date': time,
    ...headers,
  };
  const names = Object.keys(signed).sort();
  const canonical = [
    'POST',
    '/',
    '',
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    createHash('sha256').update(body).digest('hex'),
  ].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  let key: Buffer | string = `AWS4${credentials.secretAccessKey}`;
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key)
    .update(['AWS4-HMAC-SHA256', time, scope, digest].join('\n'))
    .digest('hex');
  const { host: _, ...sent } = signed;
  return fetch(url, {
    method: 'POST',
    headers: {
      ...sent,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
    },
    body: sendInstead ?? (typeof body === 'string' ? body : new Uint8Array(body)),
  });
}
