import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../service-model/errors.js';
import type { Limits } from '../limits.js';

/**
 * Reads a request's body whole.
 * @throws ServiceError `RequestEntityTooLargeException`, as soon as it is known to be too large; a body that doesn't come in time
 * ends the connection
 */
export async function readBody(
  request: IncomingMessage,
  { maxRequestBytes, bodySeconds }: Pick<Limits, 'maxRequestBytes' | 'bodySeconds'>,
): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxRequestBytes) throw tooLarge(maxRequestBytes);
  // A timeout of the socket would begin anew with every byte; a client may not drip them.
  const timer = setTimeout(() => request.destroy(), bodySeconds * 1000);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // The connection outlives a refused body: the answer still goes out on it.
    const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const chunk of body) {
      size += chunk.length;
      if (size > maxRequestBytes) throw tooLarge(maxRequestBytes);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks, size);
}

const tooLarge = (most: number) =>
  new ServiceError(
    'RequestEntityTooLargeException',
    `The request body is larger than ${most} bytes.`,
  );
