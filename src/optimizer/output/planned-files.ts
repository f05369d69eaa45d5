import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that is to be written, laid out to the last byte. */
export interface PlannedFile {
  /** From the folder that it is in; it may begin with folders of its own. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Bytes that are known without reading any weight. */
  readonly pieces: readonly { readonly offset: number; readonly data: Uint8Array }[];
}

/** Creates files at their full size, zeros but for what is known already.
 * @throws the signal's reason when it aborts. */
export async function createFiles(
  files: readonly PlannedFile[],
  signal: AbortSignal,
): Promise<void> {
  for (const { path, size, pieces } of files) {
    signal.throwIfAborted();
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(path, 'wx');
    try {
      await handle.truncate(size);
      for (const { offset, data } of pieces) await handle.write(data, 0, data.length, offset);
    } finally {
      await handle.close();
    }
  }
}
