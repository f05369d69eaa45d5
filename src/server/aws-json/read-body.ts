import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../service-model/errors.js';

/** The largest request body. The largest that the API's own limits allow is about a quarter of it. */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Reads a request's body whole.
 * @throws ServiceError `RequestEntityTooLargeException`, as soon as it is known to be too large
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // The connection outlives a refused body: the answer still goes out on it.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

const tooLarge = () =>
  new ServiceError(
    'RequestEntityTooLargeException',
    `The request body is larger than ${MAX_BODY_BYTES} bytes.`,
  );
