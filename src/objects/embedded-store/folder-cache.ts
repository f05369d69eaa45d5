import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compareUtf8 } from '../byte-order.js';
import { isAbsence, type Layout, resolveFile, statIfThere } from './layout.js';

/** Names kept in memory over all cached folders: about 100 MB at 50 bytes a name is the worst. */
const MAX_CACHED_NAMES = 1_000_000;
/** Folders below this size are read afresh each time: that costs less than it takes up here. */
const MIN_CACHED_NAMES = 256;
/**
 * A folder whose time stamp is younger than this is not cached: file systems stamp changes with
 * the tick of a coarse clock (up to 10 ms), so a second change could hide behind the first.
 */
const SETTLED_MILLISECONDS = 50;

interface CachedFolder {
  readonly inode: bigint;
  readonly changed: bigint;
  readonly names: readonly string[];
}

/**
 * The sorted names in a folder, folders with a trailing slash, in the order in which S3 lists keys.
 * Large folders are remembered while they do not change, so that listing one page by page reads
 * and sorts it once.
 */
export class FolderCache {
  readonly #layout: Layout;
  readonly #folders = new Map<string, CachedFolder>();
  #names = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  async names(folder: string): Promise<readonly string[]> {
    const stats = await statIfThere(folder);
    if (!stats?.isDirectory()) return [];
    const cached = this.#folders.get(folder);
    if (cached?.inode === stats.ino && cached.changed === stats.ctimeNs) return cached.names;
    if (cached !== undefined) this.#forget(folder, cached);
    const names = await this.#read(folder);
    const settled = Date.now() - Number(stats.ctimeNs / 1_000_000n) > SETTLED_MILLISECONDS;
    if (settled && names.length >= MIN_CACHED_NAMES && names.length <= MAX_CACHED_NAMES) {
      this.#remember(folder, { inode: stats.ino, changed: stats.ctimeNs, names });
    }
    return names;
  }

  #remember(folder: string, entry: CachedFolder): void {
    const before = this.#folders.get(folder);
    if (before !== undefined) this.#forget(folder, before);
    this.#folders.set(folder, entry);
    this.#names += entry.names.length;
    for (const [oldest, old] of this.#folders) {
      if (this.#names <= MAX_CACHED_NAMES) break;
      this.#forget(oldest, old);
    }
  }

  #forget(folder: string, entry: CachedFolder): void {
    this.#folders.delete(folder);
    this.#names -= entry.names.length;
  }

  async #read(folder: string): Promise<readonly string[]> {
    let entries: Dirent[];
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (error) {
      if (isAbsence(error)) return [];
      throw error;
    }
    const names: string[] = [];
    for (const entry of entries) {
      if (entry.name.includes('\uFFFD')) continue; // Not UTF-8, so no key can name it.
      if (entry.isDirectory()) names.push(`${entry.name}/`);
      else if (entry.isFile()) names.push(entry.name);
      else if (entry.isSymbolicLink() && (await this.#leadsToFile(join(folder, entry.name)))) {
        names.push(entry.name);
      }
    }
    return names.sort(compareUtf8);
  }

  async #leadsToFile(path: string): Promise<boolean> {
    const real = await resolveFile(this.#layout, path);
    return real !== undefined && (await stat(real)).isFile();
  }
}
