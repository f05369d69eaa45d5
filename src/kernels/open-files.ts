import { type FileHandle, open } from 'node:fs/promises';
import { KernelFileError } from './errors.js';
import { fileError, type OpenFile } from './file-access.js';

/** To read a file, or to write into one that exists. */
export type FileUse = 'read' | 'write';

export interface WantedFile {
  readonly path: string;
  readonly use: FileUse;
}

/** An open file and its size in bytes when it was opened. */
export interface SizedFile extends OpenFile {
  readonly size: number;
}

type Opened<Wanted> = {
  readonly [Key in keyof Wanted]: Wanted[Key] extends WantedFile
    ? SizedFile
    : SizedFile | undefined;
};

interface Entry {
  readonly opened: Promise<{ readonly handle: FileHandle; readonly file: SizedFile }>;
  users: number;
}

async function openFile({ path, use }: WantedFile): Promise<Awaited<Entry['opened']>> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, use === 'read' ? 'r' : 'r+');
    const stats = await handle.stat();
    if (!stats.isFile()) throw new KernelFileError(path, 'NOT_A_FILE', `${path} is not a file.`);
    return { handle, file: { path, fd: handle.fd, size: stats.size } };
  } catch (error) {
    await handle?.close();
    if (error instanceof KernelFileError) throw error;
    throw fileError(path, `open for ${use === 'read' ? 'reading' : 'writing'}`, error);
  }
}

/**
 * Files that are open while somebody uses them: overlapping work on one file shares a descriptor,
 * and the last to finish closes it, so that no file is held once nothing is done with it.
 */
export class OpenFiles {
  readonly #entries = new Map<string, Entry>();

  /**
   * Runs `work` with the files open, under the keys they were asked for by. Throws
   * KernelFileError, naming the file, when one cannot be opened.
   */
  async with<Wanted extends Readonly<Record<string, WantedFile | undefined>>, Result>(
    wanted: Wanted,
    work: (files: Opened<Wanted>) => Promise<Result>,
  ): Promise<Result> {
    const entries = Object.entries(wanted).flatMap(([key, file]) =>
      file === undefined ? [] : [{ key, file, entry: this.#enter(file) }],
    );
    try {
      const files = entries.map(
        async ({ key, entry }) => [key, (await entry.opened).file] as const,
      );
      return await work(Object.fromEntries(await Promise.all(files)) as Opened<Wanted>);
    } finally {
      await Promise.all(entries.map(({ file }) => this.#leave(file)));
    }
  }

  #enter(wanted: WantedFile): Entry {
    const key = keyOf(wanted);
    const entry = this.#entries.get(key) ?? { opened: openFile(wanted), users: 0 };
    entry.users += 1;
    this.#entries.set(key, entry);
    return entry;
  }

  async #leave(wanted: WantedFile): Promise<void> {
    const key = keyOf(wanted);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#entries.delete(key);
    // A file that could not be opened has been reported to those who wanted it.
    const opened = await entry.opened.catch(() => undefined);
    await opened?.handle.close();
  }
}

function keyOf({ path, use }: WantedFile): string {
  return `${use} ${path}`;
}
