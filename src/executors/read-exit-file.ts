import { readFile } from 'node:fs/promises';

/** The exit status that a step has left in its exit file; undefined while there is none. */
export async function readExitFile(path: string): Promise<number | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
