import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/** The code of a Node system error (`ENOENT`, `EEXIST`, …), or undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Flushes a folder's entries to the disk, so that a rename or link in it outlives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Flushes one file's bytes to the disk. */
export async function syncFile(file: string): Promise<void> {
  await syncFolder(file);
}

/** Makes `folder` and its parents, and flushes every folder that gained an entry. */
export async function makeFolderDurably(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  let current = dirname(first);
  await syncFolder(current);
  for (const name of relative(current, folder).split(sep).slice(0, -1)) {
    current = join(current, name);
    await syncFolder(current);
  }
}

export interface DurableWriteOptions {
  /** Permission bits of the new file. */
  readonly mode?: number;
  /** Refuse with `EEXIST` when the file is already there, instead of replacing it. */
  readonly exclusive?: boolean;
}

/**
 * Writes a small file so that a reader sees the old content or the new, never a part, and so that
 * the new content is on the disk before this returns.
 */
export async function writeFileDurably(
  file: string,
  content: string | Uint8Array,
  options: DurableWriteOptions = {},
): Promise<void> {
  const draft = `${file}.${randomUUID()}.draft`;
  const handle = await open(draft, 'wx', options.mode ?? 0o644);
  try {
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (options.exclusive) await link(draft, file);
    else await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(file));
}
