import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import {
  clockTooFarOff,
  missingContentHash,
  presignedUrlExpired,
  unknownAccessKey,
  unsignedHeader,
  wrongScope,
  wrongSignature,
} from './authentication-error.js';
import { canonicalRequest } from './canonical-request.js';
import type { Principal } from './principal.js';
import {
  ALGORITHM,
  basicTimestamp,
  type Claim,
  printable,
  readClaim,
  type SignedRequest,
  TERMINATOR,
} from './signature-claim.js';

export type { SignedRequest } from './signature-claim.js';

const EMPTY_SHA256 = createHash('sha256').digest('hex');

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Who holds the key. */
  readonly principal: Principal;
  /** When the session began that a temporary key belongs to. */
  readonly issuedAt?: Date;
}

/**
 * Finds an access key; a temporary one takes its session token.
 * @throws AuthenticationError when the token is not one, or has expired
 */
export type AccessKeyLookup = (
  accessKeyId: string,
  sessionToken: string | undefined,
  now: Date,
) => AccessKey | undefined;

export interface VerifyOptions {
  readonly now: Date;
  /** The only region a credential may name; undefined accepts any. */
  readonly region?: string;
  /** The only service a credential may name (`sagemaker`, `s3`); undefined accepts any. */
  readonly service?: string;
  /** How far the client's clock may be off. AWS allows 300 s, S3 900 s. */
  readonly maxSkewSeconds: number;
}

/** A request whose signature holds, and what is needed to verify the chunks of its body. */
export interface VerifiedRequest {
  readonly accessKeyId: string;
  readonly principal: Principal;
  /** When the session began that a temporary key belongs to. */
  readonly issuedAt: Date | undefined;
  readonly region: string;
  readonly service: string;
  readonly signedAt: Date;
  /** `date/region/service/aws4_request` */
  readonly scope: string;
  readonly signingKey: Buffer;
  /** Lower-case hex. */
  readonly signature: string;
  /** What the client signed as the body's hash: hex SHA-256, `UNSIGNED-PAYLOAD` or `STREAMING-…`. */
  readonly payloadHash: string;
  readonly presigned: boolean;
}

/** The headers of a Node request in the form that `SignedRequest` takes. */
export function headersFromRaw(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/**
 * Verifies a request's AWS Signature Version 4, in the Authorization header or in a presigned
 * query, and says who signed it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 *
 * @throws AuthenticationError with the code and wording AWS gives for each failure
 */
export function verifySignature(
  request: SignedRequest,
  keys: AccessKeyLookup,
  options: VerifyOptions,
): VerifiedRequest {
  const claim = readClaim(request);
  checkScope(claim, options);
  const key = keys(claim.accessKeyId, claim.sessionToken, options.now);
  if (key === undefined) throw unknownAccessKey();
  checkTime(claim, options);
  checkSignedHeaders(request, claim);

  const payloadHash = signedPayloadHash(request, claim);
  const canonical = canonicalRequest({
    method: request.method,
    rawUrl: request.rawUrl,
    headers: request.headers,
    signedHeaders: claim.signedHeaders,
    payloadHash,
    service: claim.service,
    ...(claim.presigned ? { leaveOutParameter: 'X-Amz-Signature' } : {}),
  });
  const scope = `${claim.date}/${claim.region}/${claim.service}/${TERMINATOR}`;
  const signingKey = deriveSigningKey(key.secretAccessKey, claim);
  const stringToSign = `${ALGORITHM}\n${claim.timestamp}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const expected = hmac(signingKey, stringToSign).toString('hex');
  if (!equalHex(expected, claim.signature)) throw wrongSignature();
  return {
    accessKeyId: key.accessKeyId,
    principal: key.principal,
    issuedAt: key.issuedAt,
    region: claim.region,
    service: claim.service,
    signedAt: claim.signedAt,
    scope,
    signingKey,
    signature: expected,
    payloadHash,
    presigned: claim.presigned,
  };
}

/** Compares two hex digests in a time that does not depend on where they differ. */
export function equalHex(a: string, b: string): boolean {
  const left = Buffer.from(a, 'latin1');
  const right = Buffer.from(b, 'latin1');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** HMAC-SHA256 of a text in UTF-8. */
export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function deriveSigningKey(secret: string, claim: Claim): Buffer {
  const date = hmac(`AWS4${secret}`, claim.date);
  return hmac(hmac(hmac(date, claim.region), claim.service), TERMINATOR);
}

function checkScope(claim: Claim, options: VerifyOptions): void {
  if (options.service !== undefined && claim.service !== options.service) {
    throw wrongScope(
      `Credential should be scoped to correct service: '${options.service}'.`,
      claim.presigned,
    );
  }
  if (options.region !== undefined && claim.region !== options.region) {
    throw wrongScope(
      `Credential should be scoped to a valid region: the region '${printable(claim.region)}' is wrong; expecting '${options.region}'`,
      claim.presigned,
    );
  }
  if (!claim.timestamp.startsWith(claim.date)) {
    throw wrongScope(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${claim.date}' != '${claim.timestamp.slice(0, 8)}', from '${claim.timestamp}'.`,
      claim.presigned,
    );
  }
}

function checkTime(claim: Claim, options: VerifyOptions): void {
  const skew = options.maxSkewSeconds * 1000;
  const now = options.now.getTime();
  const minutes = Math.round(options.maxSkewSeconds / 60);
  const stamp = (time: number) => basicTimestamp(new Date(time));
  if (claim.signedAt.getTime() > now + skew) {
    throw clockTooFarOff(
      `Signature not yet current: ${claim.timestamp} is still later than ${stamp(now + skew)} (${stamp(now)} + ${minutes} min.)`,
    );
  }
  if (claim.expiresSeconds !== undefined) {
    const end = claim.signedAt.getTime() + claim.expiresSeconds * 1000;
    if (end < now) {
      throw presignedUrlExpired(
        `Signature expired: ${stamp(end)} is now earlier than ${stamp(now)}`,
      );
    }
  } else if (claim.signedAt.getTime() < now - skew) {
    throw clockTooFarOff(
      `Signature expired: ${claim.timestamp} is now earlier than ${stamp(now - skew)} (${stamp(now)} - ${minutes} min.)`,
    );
  }
}

/**
 * The host and every `x-amz-` header must be signed, or whoever sits between could change what
 * the request means. (A presigned request's content hash says nothing about its meaning.)
 */
function checkSignedHeaders(request: SignedRequest, claim: Claim): void {
  const signed = new Set(claim.signedHeaders);
  const unsigned = signed.has('host') ? [] : ['host'];
  for (const name of request.headers.keys()) {
    if (!name.startsWith('x-amz-') || signed.has(name)) continue;
    if (claim.presigned && name === 'x-amz-content-sha256') continue;
    unsigned.push(name);
  }
  if (unsigned.length > 0) throw unsignedHeader(unsigned);
}

function signedPayloadHash(request: SignedRequest, claim: Claim): string {
  if (request.payloadHash !== undefined) return request.payloadHash;
  const header = claim.signedHeaders.includes('x-amz-content-sha256')
    ? request.headers.get('x-amz-content-sha256')
    : undefined;
  const named = header ?? claim.payloadHash;
  if (named !== undefined) return named;
  if (claim.service !== 's3') return EMPTY_SHA256;
  if (claim.presigned) return UNSIGNED_PAYLOAD;
  throw missingContentHash();
}
