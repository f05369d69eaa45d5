import { opendir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ExecutorError } from '../executor.js';

/** Far more files, and far deeper folders, than any model has. */
const MAX_ENTRIES = 100_000;
const MAX_DEPTH = 32;

/**
 * Holds what an image has made to files and folders: a link would make the service read, and publish,
 * whatever it points to on its own machine.
 *
 * @throws ExecutorError that names what has no place in a result
 */
export async function checkStepOutput(folder: string): Promise<void> {
  let entries = 0;
  const visit = async (path: string, depth: number): Promise<void> => {
    for await (const entry of await opendir(path)) {
      const child = join(path, entry.name);
      const name = relative(folder, child);
      entries += 1;
      if (entries > MAX_ENTRIES) {
        throw new ExecutorError(`The image has left more than ${MAX_ENTRIES} files in its result.`);
      }
      if (entry.isDirectory()) {
        if (depth === MAX_DEPTH) {
          throw new ExecutorError(
            `The image has left folders more than ${MAX_DEPTH} deep: ${name}.`,
          );
        }
        await visit(child, depth + 1);
      } else if (!entry.isFile()) {
        const kind = entry.isSymbolicLink() ? 'a symbolic link' : 'no regular file';
        throw new ExecutorError(
          `The image has left ${name} in its result, which is ${kind}. Only files can be published.`,
        );
      }
    }
  };
  await visit(folder, 1);
}
