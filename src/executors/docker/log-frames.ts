/** One record of a container's output, as the engine's log endpoint sends it without a terminal. */
export interface LogFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly payload: Buffer;
}

/** Stream number, three zeros, and the payload's length, big-endian. */
const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Takes the engine's multiplexed stream apart, whatever its chunks are.
 * Source: the Docker Engine API's description of attaching to a container, "Stream format".
 */
export class LogFrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole with this chunk. */
  push(chunk: Buffer): LogFrame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: LogFrame[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      const stream = bytes[at] === STDERR ? 'stderr' : 'stdout';
      frames.push({ stream, payload: bytes.subarray(at + HEADER_BYTES, end) });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}
