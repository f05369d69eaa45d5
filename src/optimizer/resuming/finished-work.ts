import {
  constants,
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFiles, type PlannedFile } from '../output/planned-files.js';
import type { FinishedEntry } from './entries.js';
import { differenceOf, type Fingerprint } from './fingerprint.js';
import { Journal, type JournalContent, readJournal } from './journal.js';

/** A step cannot go on from the work that was kept for it. */
export class ResumeError extends Error {
  override readonly name = 'ResumeError';
}

/** Within the output folder, where there is no folder that outlives the step. */
const UNFINISHED_FOLDER = '.unfinished';

const OWN_FOLDER = 'own';
const OFFERED_FOLDER = 'offered';
const WEIGHTS_FOLDER = 'weights';
const JOURNAL_FILE = 'finished.jsonl';

/** How often finished work is put on record: what a crash can cost. Flushing to the disk more often would
 * take the disk's time from the work itself. */
const COMMIT_INTERVAL_MS = 2000;

/** Where a step's weight files are while it works on them.
 * @param resumeFolder outlives the step; undefined where nothing does. */
export function workFolder(resumeFolder: string | undefined, output: string): string {
  return join(resumeFolder ?? join(output, UNFINISHED_FOLDER), OWN_FOLDER, WEIGHTS_FOLDER);
}

/** Bytes on disk of weight files that earlier attempts left. */
export async function bytesKept(
  resumeFolder: string | undefined,
  names: readonly string[],
): Promise<number> {
  if (resumeFolder === undefined) return 0;
  let bytes = 0;
  for (const part of [OWN_FOLDER, OFFERED_FOLDER]) {
    for (const name of names) {
      const found = await stat(join(resumeFolder, part, WEIGHTS_FOLDER, name)).catch(
        () => undefined,
      );
      // Of a file with holes only what is there takes space; a block counts 512 bytes.
      bytes += (found?.blocks ?? 0) * 512;
    }
  }
  return bytes;
}

export interface FinishedWorkOptions {
  /** Outlives the step, with what earlier attempts left in it; undefined where nothing does. */
  readonly resumeFolder: string | undefined;
  /** The step's output folder. */
  readonly output: string;
  /** The weight files, planned to be in {@link workFolder}. */
  readonly files: readonly PlannedFile[];
  readonly fingerprint: () => Promise<Fingerprint>;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The weight files that a step works on, and the list of what in them is finished. Both outlive the step
 * where it was given a folder that does: the same step, started again, then goes on from there. In that
 * folder is `own`, what an attempt of this very job left, or `offered`, what another job left; once it
 * proves to be of the same work, it becomes our own. */
export class FinishedWork {
  /** What earlier attempts finished. */
  readonly earlier: readonly FinishedEntry[];
  readonly #files: readonly PlannedFile[];
  readonly #durable: boolean;
  readonly #folder: string;
  readonly #journal: Journal | undefined;
  readonly #handles: readonly FileHandle[];
  readonly #noted: FinishedEntry[] = [];
  #pending: FinishedEntry[] = [];
  #committing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #lastCommit = performance.now();

  private constructor(
    { files, resumeFolder }: FinishedWorkOptions,
    folder: string,
    earlier: readonly FinishedEntry[],
    journal: Journal | undefined,
    handles: readonly FileHandle[],
  ) {
    this.#files = files;
    this.#durable = resumeFolder !== undefined;
    this.#folder = folder;
    this.earlier = earlier;
    this.#journal = journal;
    this.#handles = handles;
  }

  /** Takes up what is there, or begins.
   * @throws ResumeError if what is there is of other work, saying what differs. */
  static async open(options: FinishedWorkOptions): Promise<FinishedWork> {
    const { resumeFolder, output, files, signal } = options;
    const own = join(resumeFolder ?? join(output, UNFINISHED_FOLDER), OWN_FOLDER);
    if (resumeFolder === undefined) {
      await begin(own, files, signal);
      return new FinishedWork(options, own, [], undefined, []);
    }
    const fingerprint = await options.fingerprint();
    const journalFile = join(own, JOURNAL_FILE);
    const known = await takeUp(options, own, fingerprint);
    if (known === undefined) await begin(own, files, signal);
    const journal =
      known === undefined
        ? await Journal.create(journalFile, fingerprint)
        : await Journal.goOn(journalFile, known);
    const handles = await Promise.all(files.map(({ path }) => open(path, 'r+')));
    return new FinishedWork(options, own, known?.entries ?? [], journal, handles);
  }

  /** All that is finished. */
  get entries(): readonly FinishedEntry[] {
    return [...this.earlier, ...this.#noted];
  }

  /** Notes what is finished: its bytes are in the files. It is on record a little later.
   * @throws what went wrong with putting earlier notes on record. */
  note(entry: FinishedEntry): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#noted.push(entry);
    if (this.#journal === undefined) return;
    this.#pending.push(entry);
    if (performance.now() - this.#lastCommit < COMMIT_INTERVAL_MS) return;
    this.#lastCommit = performance.now();
    void this.commit().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Puts on record what was noted: first the weights, then that they are finished. */
  commit(): Promise<void> {
    this.#committing = this.#committing.then(async () => {
      const entries = this.#pending;
      if (entries.length === 0) return;
      this.#pending = [];
      for (const handle of this.#handles) await handle.datasync();
      await this.#journal?.append(entries);
      this.#lastCommit = performance.now();
    });
    return this.#committing;
  }

  /** Puts the weight files into the output as well, without copying them where that can be helped. */
  async install(output: string): Promise<void> {
    await this.commit();
    for (const { path, name } of this.#files) {
      const target = join(output, name);
      await mkdir(dirname(target), { recursive: true });
      await (this.#durable ? linkOrCopy(path, target) : rename(path, target));
    }
    await this.letGo();
  }

  /** Removes the weight files if nobody can resume from them; they are used no more. */
  async letGo(): Promise<void> {
    if (!this.#durable) await rm(join(this.#folder, '..'), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#committing.catch(() => undefined);
    await this.#journal?.close();
    for (const handle of this.#handles) await handle.close();
    await this.letGo();
  }
}

/** Works on files that outlive a failure: what was noted is put on record, however it ends.
 * @throws ResumeError, and whatever the work throws. */
export async function keepingFinished<Result>(
  options: FinishedWorkOptions,
  body: (work: FinishedWork) => Promise<Result>,
): Promise<Result> {
  const work = await FinishedWork.open(options);
  try {
    return await body(work);
  } catch (error) {
    // The failure itself is the one to tell.
    await work.commit().catch(() => undefined);
    throw error;
  } finally {
    await work.close();
  }
}

async function begin(
  own: string,
  files: readonly PlannedFile[],
  signal: AbortSignal,
): Promise<void> {
  await rm(own, { recursive: true, force: true });
  await mkdir(join(own, WEIGHTS_FOLDER), { recursive: true });
  await createFiles(files, signal);
}

/** @returns what earlier attempts finished; undefined where there is nothing that can be used.
 * @throws ResumeError for what another job left of other work. */
async function takeUp(
  options: FinishedWorkOptions,
  own: string,
  fingerprint: Fingerprint,
): Promise<JournalContent | undefined> {
  const { resumeFolder = '', files, log } = options;
  const offered = join(resumeFolder, OFFERED_FOLDER);
  const journal = await readJournal(join(own, JOURNAL_FILE));
  if (journal !== undefined) {
    const problem = differenceOf(journal.fingerprint, fingerprint) ?? (await damage(files));
    if (problem === undefined) return journal;
    log(`what was finished before is not used: ${problem}; starting over`);
    return undefined;
  }
  const others = await readJournal(join(offered, JOURNAL_FILE));
  if (others === undefined) return undefined;
  const difference = differenceOf(others.fingerprint, fingerprint);
  if (difference !== undefined) {
    throw new ResumeError(
      `what the job that OPTION_RESUME_FROM names had finished cannot be used: ${difference}. Leave it out to start over`,
    );
  }
  await rm(own, { recursive: true, force: true });
  await rename(offered, own);
  return takeUp(options, own, fingerprint);
}

/** What is wrong with weight files that were left; undefined where they are there in full length. */
async function damage(files: readonly PlannedFile[]): Promise<string | undefined> {
  for (const { path, name, size } of files) {
    const found = await stat(path).catch(() => undefined);
    if (found?.size !== size) return `${name} is not whole`;
  }
  return undefined;
}

/** Codes of file systems that have no links, or none between these two places. */
const NO_LINK = ['EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'];

async function linkOrCopy(path: string, target: string): Promise<void> {
  try {
    await link(path, target);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!NO_LINK.includes(code)) throw error;
    await copyFile(path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}
