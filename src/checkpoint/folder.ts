import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { CheckpointError, quoted } from './errors.js';

/** A model repository has tens of files; one of sharded experts a few hundred. */
const MAX_FOLDER_FILES = 100_000;

/** Model repositories nest one or two folders deep. */
export const MAX_FOLDER_DEPTH = 16;

export interface FolderFile {
  /** Path from the folder, its parts joined by `/`. */
  readonly name: string;
  /** Where the bytes are, with symbolic links followed. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Lists every file under a folder, in the order of their names. Whoever provides the folder must not
 * be able to reach beyond it: symbolic links are followed only to files inside it.
 * @throws CheckpointError for a link that leads out, and for anything that is neither a file nor a
 * folder (a pipe would block its reader for ever). */
export async function listFolder(folder: string): Promise<readonly FolderFile[]> {
  const root = await realFolder(folder);
  const files: FolderFile[] = [];
  await walk(root, root, '', 1, files);
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The folder's path with links followed.
 * @throws CheckpointError if it is missing or not a folder. */
export async function realFolder(folder: string): Promise<string> {
  const root = await realpath(folder).catch(() => {
    throw new CheckpointError(`the model folder ${folder} does not exist`);
  });
  if (!(await stat(root)).isDirectory()) {
    throw new CheckpointError(`${folder} is not a folder`);
  }
  return root;
}

async function walk(
  root: string,
  folder: string,
  prefix: string,
  depth: number,
  files: FolderFile[],
): Promise<void> {
  if (depth > MAX_FOLDER_DEPTH) {
    throw new CheckpointError(`its folders are nested more than ${MAX_FOLDER_DEPTH} deep`, {
      file: prefix,
    });
  }
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const name = `${prefix}${entry.name}`;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await walk(root, path, `${name}/`, depth + 1, files);
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      files.push(await regularFile(root, path, name));
    } else {
      throw new CheckpointError('is neither a file nor a folder', { file: name });
    }
    if (files.length > MAX_FOLDER_FILES) {
      throw new CheckpointError(`the model folder has more than ${MAX_FOLDER_FILES} files`);
    }
  }
}

async function regularFile(root: string, path: string, name: string): Promise<FolderFile> {
  const target = await realpath(path).catch(() => {
    throw new CheckpointError('is a symbolic link to something that does not exist', {
      file: name,
    });
  });
  if (!target.startsWith(root + sep)) {
    throw new CheckpointError(
      'is a symbolic link that leads out of the model folder; put the file itself there',
      { file: name },
    );
  }
  const found = await stat(target);
  if (!found.isFile()) {
    throw new CheckpointError('is a symbolic link to something that is not a file', {
      file: name,
    });
  }
  return { name, path: target, size: found.size };
}

/** Whether a name from inside a checkpoint names a file right in its folder.
 * @throws CheckpointError if it holds a separator, `..` or anything else a plain name has not. */
export function plainFileName(name: string, file: string, tensor: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
    throw new CheckpointError(`names the file ${quoted(name)}, which is not a plain file name`, {
      file,
      tensor,
    });
  }
  return name;
}
