import { createHash } from 'node:crypto';
import { chunkSignature, trailerSignature } from '../../identity/chunk-signature.js';
import { equalHex, type VerifiedRequest } from '../../identity/signature-v4.js';
import { S3Error } from './s3-error.js';

/** A chunk's line holds its size in hex and one signature. */
const MAX_CHUNK_LINE_BYTES = 1024;
/** Trailers are a checksum and a signature; the bound is generous. */
const MAX_TRAILER_BYTES = 8 * 1024;
const MAX_TRAILERS = 16;

const EMPTY_SHA256 = createHash('sha256').digest('hex');
const LINE_FEED = 0x0a;

/** What a request’s head says of its coding. */
export interface ChunkedBody {
  /** Whether each chunk, and the trailer, carries a signature. */
  readonly signed: boolean;
  /** Whether headers follow the last chunk. */
  readonly trailer: boolean;
}

/**
 * Undoes the `aws-chunked` coding of a body, verifying the signatures of its chunks and trailer.
 * Data is passed on before its chunk's signature has arrived, so nothing may come of it until the
 * generator has ended.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 *
 * @param trailers receives the trailing headers, names in lower case
 * @throws S3Error IncompleteBody, SignatureDoesNotMatch, MalformedTrailerError
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Uint8Array>,
  coding: ChunkedBody,
  request: VerifiedRequest,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  try {
    yield* decode(reader, coding, request, trailers);
  } finally {
    await reader.close();
  }
}

async function* decode(
  reader: ByteReader,
  coding: ChunkedBody,
  request: VerifiedRequest,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  let signature = request.signature;
  const verify = (given: string, expected: string) => {
    if (!equalHex(given, expected)) {
      throw new S3Error(
        'SignatureDoesNotMatch',
        403,
        'The signature of a chunk of the body does not match the signature we calculated.',
      );
    }
    signature = expected;
  };

  for (;;) {
    const chunk = parseChunkLine(await reader.line(MAX_CHUNK_LINE_BYTES), coding.signed);
    if (chunk.size === 0) {
      if (coding.signed) verify(chunk.signature, chunkSignature(request, signature, EMPTY_SHA256));
      break;
    }
    const hash = coding.signed ? createHash('sha256') : undefined;
    let left = chunk.size;
    while (left > 0) {
      const piece = await reader.some(left);
      hash?.update(piece);
      left -= piece.byteLength;
      yield piece;
    }
    if ((await reader.line(2)) !== '') throw incomplete('a chunk is longer than its size');
    if (hash !== undefined) {
      verify(chunk.signature, chunkSignature(request, signature, hash.digest('hex')));
    }
  }

  const signedText = await readTrailers(reader, coding.trailer, trailers);
  if (coding.signed && coding.trailer) {
    const given = trailers.get('x-amz-trailer-signature') ?? '';
    verify(given, trailerSignature(request, signature, signedText));
  }
  if (!(await reader.ended())) throw incomplete('there are bytes behind the last chunk');
}

function parseChunkLine(
  line: string,
  signed: boolean,
): { readonly size: number; readonly signature: string } {
  const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (match === null || (signed && match[2] === undefined)) {
    throw incomplete('a chunk does not begin with its size and signature');
  }
  return { size: Number.parseInt(match[1] ?? '', 16), signature: match[2] ?? '' };
}

/** Reads the lines behind the last chunk. @returns them in the form that is signed */
async function readTrailers(
  reader: ByteReader,
  expected: boolean,
  trailers: Map<string, string>,
): Promise<string> {
  let signedText = '';
  for (let count = 0; ; count += 1) {
    if (await reader.ended()) return signedText;
    const line = await reader.line(MAX_TRAILER_BYTES);
    if (line === '') return signedText;
    const match = /^([A-Za-z0-9-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match === null || !expected || count === MAX_TRAILERS) {
      throw new S3Error(
        'MalformedTrailerError',
        400,
        'The request contained trailing data that was not well-formed or did not conform to our published schema.',
      );
    }
    const [, name = '', value = ''] = match;
    trailers.set(name.toLowerCase(), value);
    if (name.toLowerCase() !== 'x-amz-trailer-signature') {
      signedText += `${name.toLowerCase()}:${value}\n`;
    }
  }
}

function incomplete(reason: string): S3Error {
  return new S3Error('IncompleteBody', 400, `The aws-chunked body is broken: ${reason}.`);
}

/** Takes lines and runs of bytes from a stream of pieces. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Lets go of the stream, read to its end or not. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** Whether the stream is at its end. */
  async ended(): Promise<boolean> {
    while (this.#at === this.#piece.byteLength) {
      const next = await this.#source.next();
      if (next.done === true) return true;
      this.#piece = next.value;
      this.#at = 0;
    }
    return false;
  }

  /** Some of the next bytes: at least one, at most `most`. */
  async some(most: number): Promise<Uint8Array> {
    if (await this.ended()) throw incomplete('it ends in the middle of a chunk');
    const bytes = this.#piece.subarray(this.#at, this.#at + most);
    this.#at += bytes.byteLength;
    return bytes;
  }

  /** The next line, without its end (`\r\n` or `\n`). */
  async line(maxBytes: number): Promise<string> {
    let line = '';
    for (;;) {
      if (await this.ended()) throw incomplete('it ends in the middle of a line');
      const end = this.#piece.indexOf(LINE_FEED, this.#at);
      const stop = end < 0 ? this.#piece.byteLength : end;
      if (line.length + stop - this.#at > maxBytes) throw incomplete('a line is too long');
      line += Buffer.from(this.#piece.subarray(this.#at, stop)).toString('latin1');
      this.#at = end < 0 ? stop : stop + 1;
      if (end >= 0) return line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  }
}
