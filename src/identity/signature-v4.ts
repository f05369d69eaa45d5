import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import {
  clockTooFarOff,
  malformed,
  missingToken,
  presignedUrlExpired,
  unknownAccessKey,
  unknownSessionToken,
  unsignedHeader,
  wrongScope,
  wrongSignature,
} from './authentication-error.js';
import { canonicalRequest, parseQuery, splitTarget } from './canonical-request.js';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const TERMINATOR = 'aws4_request';
const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** Signature Version 4 lets a presigned URL live for a week at most. */
const MAX_PRESIGNED_SECONDS = 7 * 24 * 60 * 60;

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Who holds the key: `arn:aws:iam::<account>:user/<name>` or `…:root`. */
  readonly principalArn: string;
}

export type AccessKeyLookup = (accessKeyId: string) => AccessKey | undefined;

/** An HTTP request as it came off the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query exactly as received. */
  readonly rawUrl: string;
  /** Lower-cased names; values of repeated headers joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** Hex SHA-256 of the body; undefined takes `x-amz-content-sha256` as what was signed. */
  readonly payloadHash?: string | undefined;
}

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
  readonly principalArn: string;
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

interface Claim {
  readonly presigned: boolean;
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string;
  readonly signedAt: Date;
  /** Presigned form only. */
  readonly expiresSeconds?: number;
  readonly sessionToken?: string | undefined;
  /** Presigned form only: the body hash named in the query. */
  readonly payloadHash?: string | undefined;
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
  if (claim.sessionToken !== undefined) throw unknownSessionToken();
  const key = keys(claim.accessKeyId);
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
    principalArn: key.principalArn,
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

export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function deriveSigningKey(secret: string, claim: Claim): Buffer {
  const date = hmac(`AWS4${secret}`, claim.date);
  return hmac(hmac(hmac(date, claim.region), claim.service), TERMINATOR);
}

function readClaim(request: SignedRequest): Claim {
  const authorization = request.headers.get('authorization');
  const query = new Map(
    parseQuery(splitTarget(request.rawUrl).query).map(({ name, value }) => [name, value]),
  );
  const inQuery = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature');
  if (authorization !== undefined && inQuery) {
    throw malformed(
      'Only one auth mechanism allowed: the X-Amz-Algorithm query parameter or the Authorization header.',
      true,
    );
  }
  if (authorization !== undefined) return claimFromHeader(authorization, request);
  if (inQuery) return claimFromQuery(query);
  throw missingToken();
}

function claimFromHeader(authorization: string, request: SignedRequest): Claim {
  const space = authorization.indexOf(' ');
  const algorithm = space < 0 ? authorization : authorization.slice(0, space);
  if (algorithm !== ALGORITHM) {
    throw malformed(`Unsupported AWS 'algorithm': '${printable(algorithm)}'.`, false);
  }
  const fields = new Map<string, string>();
  for (const part of authorization.slice(space + 1).split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) fields.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const timestamp = headerTimestamp(request.headers);
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !fields.get(name));
  if (missing.length > 0 || timestamp === undefined) {
    const lacks = missing.map((name) => `Authorization header requires '${name}' parameter.`);
    if (timestamp === undefined) {
      lacks.push(
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
      );
    }
    throw malformed(lacks.join(' '), false);
  }
  return {
    presigned: false,
    ...parseCredential(fields.get('Credential') ?? '', false),
    signedHeaders: parseSignedHeaders(fields.get('SignedHeaders') ?? '', false),
    signature: fields.get('Signature') ?? '',
    ...timestamp,
    sessionToken: request.headers.get('x-amz-security-token'),
  };
}

function claimFromQuery(query: ReadonlyMap<string, string>): Claim {
  const algorithm = query.get('X-Amz-Algorithm');
  if (algorithm !== ALGORITHM) {
    throw malformed(`Unsupported AWS 'algorithm': '${printable(algorithm ?? '')}'.`, true);
  }
  const needed = [
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ];
  const missing = needed.filter((name) => !query.get(name));
  if (missing.length > 0) {
    throw malformed(
      `Query-string authentication version 4 requires the ${missing.join(', ')} parameter${missing.length > 1 ? 's' : ''}.`,
      true,
    );
  }
  const timestamp = parseBasicTimestamp(query.get('X-Amz-Date') ?? '');
  if (timestamp === undefined) {
    throw malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"", true);
  }
  const expires = query.get('X-Amz-Expires') ?? '';
  const expiresSeconds = /^\d{1,9}$/.test(expires) ? Number(expires) : -1;
  if (expiresSeconds < 1 || expiresSeconds > MAX_PRESIGNED_SECONDS) {
    throw malformed(
      `X-Amz-Expires must be a number of seconds from 1 to ${MAX_PRESIGNED_SECONDS} (a week)`,
      true,
    );
  }
  return {
    presigned: true,
    ...parseCredential(query.get('X-Amz-Credential') ?? '', true),
    signedHeaders: parseSignedHeaders(query.get('X-Amz-SignedHeaders') ?? '', true),
    signature: query.get('X-Amz-Signature') ?? '',
    ...timestamp,
    expiresSeconds,
    sessionToken: query.get('X-Amz-Security-Token'),
    payloadHash: query.get('X-Amz-Content-Sha256'),
  };
}

function parseCredential(
  credential: string,
  presigned: boolean,
): Pick<Claim, 'accessKeyId' | 'date' | 'region' | 'service'> {
  const parts = credential.split('/');
  const [accessKeyId, date, region, service, terminator] = parts;
  if (
    parts.length !== 5 ||
    !accessKeyId ||
    date === undefined ||
    !/^\d{8}$/.test(date) ||
    !region ||
    !service ||
    terminator !== TERMINATOR
  ) {
    throw malformed(
      `Credential must have exactly 5 slash-delimited elements, <access-key-id>/<yyyymmdd>/<region>/<service>/${TERMINATOR}, got '${printable(credential)}'`,
      presigned,
    );
  }
  return { accessKeyId, date, region, service };
}

function parseSignedHeaders(text: string, presigned: boolean): string[] {
  const names = text.split(';');
  const sorted = names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name);
  if (!names.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) || !sorted) {
    throw malformed(
      'SignedHeaders must be lower-case header names in order, separated by semicolons',
      presigned,
    );
  }
  return names;
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
  throw malformed('Missing required header for this request: x-amz-content-sha256', false);
}

function headerTimestamp(
  headers: ReadonlyMap<string, string>,
): Pick<Claim, 'timestamp' | 'signedAt'> | undefined {
  const amz = headers.get('x-amz-date');
  if (amz !== undefined) return parseBasicTimestamp(amz);
  const date = headers.get('date');
  if (date === undefined) return undefined;
  const basic = parseBasicTimestamp(date);
  if (basic !== undefined) return basic;
  const time = Date.parse(date);
  if (Number.isNaN(time)) return undefined;
  const signedAt = new Date(time);
  return { timestamp: basicTimestamp(signedAt), signedAt };
}

function parseBasicTimestamp(text: string): Pick<Claim, 'timestamp' | 'signedAt'> | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : { timestamp: text, signedAt: new Date(time) };
}

/** `YYYYMMDDTHHMMSSZ`, the form of time in signatures. */
export function basicTimestamp(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Text from a client as it may stand in an error message: short and without control characters. */
function printable(text: string): string {
  return text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}
