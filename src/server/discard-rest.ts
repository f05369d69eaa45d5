import type { IncomingMessage } from 'node:http';

/** How long the rest of a refused body is read and thrown away, in milliseconds. */
const MAX_DISCARD_MS = 2_000;

/**
 * Lets a client that is still sending a refused body finish its sentence, so that it reads the
 * answer instead of a reset connection; but not for long.
 */
export function discardRest(request: IncomingMessage): void {
  request.resume();
  setTimeout(() => request.destroy(), MAX_DISCARD_MS).unref();
}
