import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';

/** A value that begins with one of these is replaced by the content of the file that it names. */
const TEXT_PREFIX = 'file://';
const BYTES_PREFIX = 'fileb://';

/** A file that a parameter names cannot be read. */
export class ParameterFileError extends Error {
  override readonly name = 'ParameterFileError';
}

/**
 * The content of the file that a value names: text after `file://`, bytes after `fileb://`; the
 * value itself otherwise. A leading `~` and `$NAME` in the path are the user's home and variables.
 *
 * @throws ParameterFileError where the file can't be read, or a text file isn't UTF-8.
 */
export function resolveParameterFile(value: string): string | Uint8Array {
  if (value.startsWith(TEXT_PREFIX)) {
    const path = expandPath(value.slice(TEXT_PREFIX.length));
    return decode(read(path, value), path);
  }
  if (value.startsWith(BYTES_PREFIX)) {
    return read(expandPath(value.slice(BYTES_PREFIX.length)), value);
  }
  return value;
}

function read(path: string, value: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ParameterFileError(`Unable to load paramfile ${value}: ${reason}`, { cause });
  }
}

/** Line ends become `\n`, as in a text file that was opened on the platform where it was written. */
function decode(bytes: Uint8Array, path: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.replace(/\r\n?/g, '\n');
  } catch (cause) {
    throw new ParameterFileError(
      `Unable to load paramfile (${path}), text contents could not be decoded.  ` +
        'If this is a binary file, please use the fileb:// prefix instead of the file:// prefix.',
      { cause },
    );
  }
}

function expandPath(path: string): string {
  return path
    .replace(/^~(?=\/|$)/, () => homedir())
    .replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, bare?: string, braced?: string) => {
      return process.env[bare ?? braced ?? ''] ?? whole;
    });
}
