import { createHash } from 'node:crypto';
import { basicTimestamp } from './signature-claim.js';
import { hmac, type VerifiedRequest } from './signature-v4.js';

const EMPTY_SHA256 = createHash('sha256').digest('hex');

/**
 * The signature of one chunk of an `aws-chunked` body, in hex.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 *
 * @param previous the signature before it: the request's for the first chunk
 * @param chunkHash hex SHA-256 of the chunk's data
 */
export function chunkSignature(
  request: VerifiedRequest,
  previous: string,
  chunkHash: string,
): string {
  return sign(request, 'AWS4-HMAC-SHA256-PAYLOAD', [previous, EMPTY_SHA256, chunkHash]);
}

/**
 * The signature of the trailing headers of an `aws-chunked` body, in hex.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 *
 * @param previous the signature of the last (empty) chunk
 * @param trailers the trailing headers as `name:value\n`, one after another
 */
export function trailerSignature(
  request: VerifiedRequest,
  previous: string,
  trailers: string,
): string {
  const hash = createHash('sha256').update(trailers, 'latin1').digest('hex');
  return sign(request, 'AWS4-HMAC-SHA256-TRAILER', [previous, hash]);
}

function sign(request: VerifiedRequest, algorithm: string, rest: readonly string[]): string {
  const text = [algorithm, basicTimestamp(request.signedAt), request.scope, ...rest].join('\n');
  return hmac(request.signingKey, text).toString('hex');
}
