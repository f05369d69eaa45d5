import { UNSIGNED_PAYLOAD } from '../../identity/signature-v4.js';
import { BodyDigests } from '../../objects/body-digests.js';
import type { ChecksumAlgorithm } from '../../objects/checksums.js';
import type { Body } from '../../objects/object-store.js';
import type { DigestDemand } from '../../objects/served-object-store.js';
import { type ChunkedBody, decodeAwsChunked } from './aws-chunked.js';
import { readChecksumHeaders } from './checksum-headers.js';
import type { S3Call } from './s3-call.js';
import { invalidArgument, invalidRequest, notImplemented, S3Error } from './s3-error.js';

/** A client that sends nothing for this long in the middle of a body has gone away. */
const BODY_IDLE_MILLISECONDS = 120_000;

const CODINGS: Readonly<Record<string, ChunkedBody>> = {
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { signed: true, trailer: true },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { signed: false, trailer: true },
};

/** A request's body without its coding, and what it must digest to. */
export interface RequestBody {
  readonly bytes: Body;
  /** Bytes of the decoded body. */
  readonly length: number;
  readonly demands: readonly DigestDemand[];
  /** The checksum the client names, in a header, in a trailer or by its wish alone. */
  readonly checksum: ChecksumAlgorithm | undefined;
}

/**
 * The body of a request as the headers describe it. Nothing is read before `bytes` is.
 * @throws S3Error MissingContentLength, InvalidArgument, InvalidRequest, InvalidDigest
 */
export function openBody(call: S3Call): RequestBody {
  const { headers, verified } = call;
  const declared = headers.get('x-amz-content-sha256') ?? verified.payloadHash;
  const coding = CODINGS[declared];
  if (coding?.signed === true && verified.presigned) {
    throw invalidRequest('The body of a presigned request cannot be signed in chunks.');
  }
  const trailers = new Map<string, string>();
  const { algorithm, demands } = readChecksumHeaders(headers, trailers);
  const raw = requestBytes(call);
  const common = { checksum: algorithm, length: bodyLength(headers, coding !== undefined) };
  if (coding !== undefined) {
    return { ...common, bytes: decodeAwsChunked(raw, coding, verified, trailers), demands };
  }
  if (declared === UNSIGNED_PAYLOAD) return { ...common, bytes: raw, demands };
  if (declared.startsWith('STREAMING-')) throw notImplemented(`x-amz-content-sha256: ${declared}`);
  if (!/^[0-9a-f]{64}$/i.test(declared)) {
    throw invalidArgument(
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value.',
    );
  }
  return { ...common, bytes: raw, demands: [contentHash(declared), ...demands] };
}

function contentHash(hex: string): DigestDemand {
  const expected = Buffer.from(hex, 'hex').toString('base64');
  return {
    algorithm: 'SHA256',
    expected: () => expected,
    mismatch: () =>
      new S3Error(
        'XAmzContentSHA256Mismatch',
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      ),
  };
}

function bodyLength(headers: ReadonlyMap<string, string>, chunked: boolean): number {
  const name = chunked ? 'x-amz-decoded-content-length' : 'content-length';
  const text = headers.get(name);
  if (text === undefined) {
    throw new S3Error(
      'MissingContentLength',
      411,
      `You must provide the ${chunked ? 'x-amz-decoded-content-length' : 'Content-Length'} HTTP header.`,
    );
  }
  if (!/^\d{1,15}$/.test(text)) throw invalidArgument(`${name} must be a number of bytes`);
  return Number(text);
}

/** The body as it comes, in its turn; leaving off early does not close the connection. */
async function* requestBytes({ request, response, bodySlots }: S3Call): AsyncGenerator<Uint8Array> {
  const giveBack = await bodySlots.take();
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  request.setTimeout(BODY_IDLE_MILLISECONDS, () => request.destroy());
  try {
    const bytes: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
    yield* bytes;
  } finally {
    request.setTimeout(0);
    giveBack();
  }
}

/** Reads a whole small body. @throws S3Error MaxMessageLengthExceeded and the body's own errors */
export async function readSmallBody(call: S3Call, maxBytes: number): Promise<string> {
  const { bytes, length, demands } = openBody(call);
  if (length > maxBytes) {
    throw new S3Error('MaxMessageLengthExceeded', 400, 'Your request was too big.');
  }
  const digests = await BodyDigests.start([], demands);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of bytes) {
    size += piece.byteLength;
    if (size > length) throw invalidRequest('The body is longer than was announced.');
    digests.update(piece);
    pieces.push(piece);
  }
  if (size < length) {
    throw new S3Error('IncompleteBody', 400, 'You did not provide the number of bytes specified.');
  }
  digests.finish();
  return Buffer.concat(pieces).toString('utf8');
}
