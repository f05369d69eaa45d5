import { join } from 'node:path';
import type { FolderFile } from '../../checkpoint/folder.js';
import type { Progress } from '../progress.js';
import { copyFiles, writeNew } from './folder.js';

/** What stands beside the weights of a result. */
export interface FilesBesideWeights {
  /** Files of the source that are carried along as they are. */
  readonly others: readonly FolderFile[];
  /** Contents of files that are written anew, by their names. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Writes all files of a result but the weights and the report, into the folder `output`. */
export async function writeBesideWeights(
  output: string,
  { others, texts }: FilesBesideWeights,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  progress.begin('copying', {
    tensors: others.length,
    bytes: others.reduce((sum, { size }) => sum + size, 0),
  });
  await copyFiles(others, output, signal, ({ size }) => progress.advance(1, size));
  for (const [name, text] of texts) await writeNew(join(output, name), text);
}
