import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The most of an error file that is read; the API keeps 1,024 characters of a reason. */
const MAX_ERROR_FILE_BYTES = 64 * 1024;

/**
 * A program of someone else's may leave a link to a file that is none of its business, or a pipe that
 * nobody writes to.
 */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The text that a failed step left in its error file, or undefined where it left none. */
export async function readErrorFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, OPEN_FLAGS);
    try {
      if (!(await file.stat()).isFile()) return undefined;
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_ERROR_FILE_BYTES));
      const parsed: unknown = JSON.parse(buffer.toString('utf8', 0, bytesRead));
      if (parsed !== null && typeof parsed === 'object' && 'error' in parsed) {
        return typeof parsed.error === 'string' ? parsed.error : undefined;
      }
      return undefined;
    } finally {
      await file.close();
    }
  } catch {
    // A program that was killed leaves no file, or half of one; its exit status tells the rest.
    return undefined;
  }
}
