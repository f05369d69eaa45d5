import { malformed, missingToken } from './authentication-error.js';
import { parseQuery, splitTarget } from './canonical-request.js';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
export const TERMINATOR = 'aws4_request';

/** Signature Version 4 lets a presigned URL live for a week at most. */
const MAX_PRESIGNED_SECONDS = 7 * 24 * 60 * 60;

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

/** What a request says of who signed it, how and when: not believed until it is verified. */
export interface Claim {
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

const hasSignature = (query: ReadonlyMap<string, string>) =>
  query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature');

function readQuery(rawUrl: string): Map<string, string> {
  const parameters = parseQuery(splitTarget(rawUrl).query);
  return new Map(parameters.map(({ name, value }) => [name, value]));
}

/** Whether a request doesn't even claim to be somebody's. */
export function isUnsigned({ headers, rawUrl }: SignedRequest): boolean {
  return !headers.has('authorization') && !hasSignature(readQuery(rawUrl));
}

/**
 * Reads the claim from the Authorization header or from a presigned query.
 * @throws AuthenticationError when there is none, or when it cannot be read
 */
export function readClaim(request: SignedRequest): Claim {
  const authorization = request.headers.get('authorization');
  const query = readQuery(request.rawUrl);
  const inQuery = hasSignature(query);
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
export function printable(text: string): string {
  return text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}
