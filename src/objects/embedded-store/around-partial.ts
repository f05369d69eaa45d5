import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, systemErrorCode, writeFileDurably } from '../durable-files.js';
import { LocationNotEmptyError } from '../errors.js';
import { PARTIAL_FOLDER } from '../partial-results.js';
import type { ObjectLocation } from '../s3-uri.js';
import { isFolder, isPlainFolder, type Layout } from './layout.js';

/** Where partial results are while a whole one is published around them. */
interface Detour {
  readonly from: string;
  readonly to: string;
}

/** Whether a folder holds partial results and nothing else. */
export async function holdsOnlyPartial(folder: string): Promise<boolean> {
  if (!(await isPlainFolder(folder))) return false;
  const names = await readdir(folder);
  return names.join() === PARTIAL_FOLDER && (await isFolder(join(folder, PARTIAL_FOLDER)));
}

/**
 * Puts a folder in the place of one that holds nothing but partial results: they move into the new one,
 * which then takes the empty place by one rename. A note tells where they are in between, so that after
 * a crash they are put back.
 *
 * @param place the path of the location
 * @throws LocationNotEmptyError when the new one has a folder of that name itself
 */
export async function publishAroundPartial(
  layout: Layout,
  folder: string,
  place: string,
  location: ObjectLocation,
): Promise<void> {
  const detour = { from: join(place, PARTIAL_FOLDER), to: join(folder, PARTIAL_FOLDER) };
  if (await isFolder(detour.to)) throw new LocationNotEmptyError(location);
  const note = join(layout.detours, `${randomUUID()}.json`);
  await writeFileDurably(note, JSON.stringify(detour));
  try {
    await rename(detour.from, detour.to);
    await rename(folder, place);
  } catch (error) {
    await putBack(detour);
    throw error;
  } finally {
    await rm(note, { force: true });
  }
}

/**
 * Puts back what a stopped process had on its way.
 * @param before milliseconds since the epoch; younger notes may be those of a process that runs
 */
export async function endDetours(layout: Layout, before: number): Promise<void> {
  for (const name of await readdir(layout.detours)) {
    const note = join(layout.detours, name);
    const { mtimeMs } = await stat(note);
    if (mtimeMs >= before) continue;
    if (name.endsWith('.json')) await putBack(JSON.parse(await readFile(note, 'utf8')) as Detour);
    await rm(note, { force: true });
  }
}

async function putBack({ from, to }: Detour): Promise<void> {
  const names = await readdir(to).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (names === undefined) return;
  // One by one: other jobs may have published theirs meanwhile.
  await mkdir(from, { recursive: true });
  for (const name of names) await rename(join(to, name), join(from, name));
  await syncFolder(from);
  await syncFolder(dirname(from));
  await rmdir(to);
}
