import {
  constants,
  copyFile,
  mkdir,
  readdir,
  realpath,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { FolderFile } from '../../checkpoint/folder.js';

/** The output folder cannot be used. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/** Checks that a folder is there, empty and outside the input.
 * @throws OutputError otherwise. */
export async function checkOutputFolder(folder: string, input: string): Promise<string> {
  const path = await realpath(folder).catch(() => {
    throw new OutputError(`the output folder ${folder} does not exist`);
  });
  if (path === input || path.startsWith(input + sep) || input.startsWith(path + sep)) {
    throw new OutputError(`the output folder ${folder} and the source ${input} overlap`);
  }
  const [first] = await readdir(path);
  if (first !== undefined) {
    throw new OutputError(`the output folder ${folder} is not empty: it has ${first}`);
  }
  return path;
}

/** Bytes that can still be written to a folder's file system. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** @throws OutputError if the folder's file system has less than `bytes` left. */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const available = await freeBytes(folder);
  if (available < bytes) {
    throw new OutputError(
      `the result needs ${bytes} bytes, but the output's disk has ${available} left`,
    );
  }
}

/** Looks at the space for a result and for what it is made from, which may lie on one disk or on two.
 * @throws OutputError if there is less than both need. */
export async function checkSpaces(
  output: { readonly folder: string; readonly bytes: number },
  scratch: { readonly folder: string; readonly bytes: number },
): Promise<void> {
  const [one, other] = await Promise.all([stat(output.folder), stat(scratch.folder)]);
  if (one.dev === other.dev) return checkSpace(output.folder, output.bytes + scratch.bytes);
  await checkSpace(output.folder, output.bytes);
  const available = await freeBytes(scratch.folder);
  if (available < scratch.bytes) {
    throw new OutputError(
      `what the result is made from needs ${scratch.bytes} bytes, but the scratch disk has ${available} left`,
    );
  }
}

/** Copies files byte for byte, as clones where the file system has them. Never as links: the source is
 * someone else's and must not change with the copy.
 * @param onCopied called after each file. */
export async function copyFiles(
  files: readonly FolderFile[],
  folder: string,
  signal: AbortSignal,
  onCopied: (file: FolderFile) => void,
): Promise<void> {
  for (const file of files) {
    signal.throwIfAborted();
    const target = join(folder, file.name);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file.path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    onCopied(file);
  }
}

/** Writes a file that must not be there yet. */
export async function writeNew(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' });
}

/** Empties the folder, so that a step that failed leaves nothing that could be taken for a result. */
export async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}
