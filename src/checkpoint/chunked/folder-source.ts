import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.js';
import type { ChunkSource } from './read-rank.js';

/** Chunked weights in a folder. */
export function folderSource(folder: string): ChunkSource {
  return {
    readFile: (file, signal) =>
      orMissing(file, () => readFile(join(folder, file), signal === undefined ? {} : { signal })),
    readRange: (file, offset, length) =>
      orMissing(file, async () => {
        const handle = await open(join(folder, file), 'r');
        try {
          const bytes = new Uint8Array(length);
          let filled = 0;
          while (filled < length) {
            const { bytesRead } = await handle.read(
              bytes,
              filled,
              length - filled,
              offset + filled,
            );
            if (bytesRead === 0) break;
            filled += bytesRead;
          }
          return bytes.subarray(0, filled);
        } finally {
          await handle.close();
        }
      }),
  };
}

async function orMissing<Result>(file: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CheckpointError('is not there', { file });
  }
}
