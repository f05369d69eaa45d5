import { createWriteStream } from 'node:fs';
import { mkdir, opendir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { systemErrorCode } from './durable-files.js';
import { ArchiveError, ObjectStoreError } from './errors.js';
import { MAX_SEGMENT_BYTES } from './names.js';
import type { StagedFolder, StageOptions, StageProgress } from './object-store.js';

/** What an archive may unpack to. */
export interface ArchiveLimits {
  /** Bytes of all files together. */
  readonly totalBytes: number;
  readonly files: number;
  /** Bytes of one path inside the archive. */
  readonly pathBytes: number;
  /** Folders above a file. */
  readonly depth: number;
  /** Unpacked bytes to packed ones, once `ratioFromBytes` are unpacked. */
  readonly ratio: number;
  readonly ratioFromBytes: number;
}

/**
 * Far above any model: the largest open checkpoints have about 1.5 TB in a few hundred files, a
 * few folders deep. Weights hardly compress; a ratio in the hundreds is a bomb (gzip can make
 * 1,000), except for the small text files at the start, so the first bytes are free.
 */
export const ARCHIVE_LIMITS: ArchiveLimits = {
  totalBytes: 4 * 1024 ** 4,
  files: 20_000,
  pathBytes: 1024,
  depth: 16,
  ratio: 200,
  ratioFromBytes: 256 * 1024 ** 2,
};

/** Bytes unpacked at once. */
const GUNZIP_CHUNK_BYTES = 256 * 1024;

/** Whether a key is that of an archive, by its ending. */
export function isArchiveKey(key: string): boolean {
  return key.endsWith('.tar.gz') || key.endsWith('.tgz');
}

/**
 * Unpacks a `.tar.gz` as it streams in. Links, devices, absolute paths and `..` are refused, and
 * so is everything over a limit. If the checkpoint lies in a single top-level folder of the
 * archive (`config.json` is there and not beside it), that folder is the one returned.
 *
 * @param archive the compressed bytes; destroyed on failure
 * @param name what to call the archive in messages
 * @param target an empty or missing folder
 * @throws ArchiveError
 */
export async function unpackArchive(
  archive: Readable,
  name: string,
  target: string,
  options: StageOptions,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<StagedFolder> {
  await mkdir(target, { recursive: true });
  const refuse = (reason: string) => new ArchiveError(`${name} was not unpacked: ${reason}`);
  const meter = new ArchiveMeter(limits, refuse);
  const entries = extract();
  if (options.signal !== undefined) addAbortSignal(options.signal, archive);
  const gunzip = createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES });
  const reading = pipeline(archive, meter.packed(), gunzip, entries).then(
    () => undefined,
    (error: unknown) => error,
  );

  try {
    for await (const entry of entries) {
      options.signal?.throwIfAborted();
      const { type, size = 0 } = entry.header;
      const path = join(target, entryPath(entry.header.name, limits, refuse));
      if (type === 'directory') {
        await mkdir(path, { recursive: true });
        entry.resume();
        continue;
      }
      if (type !== 'file' && type !== 'contiguous-file') {
        throw refuse(`${JSON.stringify(entry.header.name)} is a ${type}, not a plain file`);
      }
      meter.beginFile(size);
      await mkdir(dirname(path), { recursive: true });
      await pipeline(
        meter.unpacked(entry as AsyncIterable<Buffer>),
        createWriteStream(path, { flags: 'wx' }),
      );
      options.onProgress?.(meter.progress);
    }
    const failure = await reading;
    if (failure !== undefined) throw failure;
  } catch (error) {
    archive.destroy();
    options.signal?.throwIfAborted();
    // A fault of the archive's own stream reaches the entries only as their being cut off.
    const cutOff = error instanceof Error && systemErrorCode(error) === 'STREAM_DESTROYED';
    throw explain(cutOff ? ((await reading) ?? error) : error, refuse);
  }
  if (meter.progress.files === 0) throw refuse('there is no file in it');
  return { path: await checkpointFolder(target), readOnly: false, ...meter.progress };
}

/** Counts what goes into an archive's unpacking and what comes out, and refuses what is too much. */
class ArchiveMeter {
  #packed = 0;
  #bytes = 0;
  #files = 0;

  constructor(
    private readonly limits: ArchiveLimits,
    private readonly refuse: (reason: string) => ArchiveError,
  ) {}

  /** What is unpacked so far. */
  get progress(): StageProgress {
    return { bytes: this.#bytes, files: this.#files };
  }

  /** Lets the packed bytes through. */
  packed(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#packed += chunk.byteLength;
        done(null, chunk);
      },
    });
  }

  /** @param size bytes that the archive says the file has */
  beginFile(size: number): void {
    this.#files += 1;
    if (this.#files > this.limits.files) {
      throw this.refuse(`it holds more than ${this.limits.files} files`);
    }
    if (this.#bytes + size > this.limits.totalBytes) throw this.#tooLarge();
  }

  /** Lets the unpacked bytes of a file through. */
  async *unpacked(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const { totalBytes, ratio, ratioFromBytes } = this.limits;
    for await (const chunk of chunks) {
      this.#bytes += chunk.byteLength;
      if (this.#bytes > totalBytes) throw this.#tooLarge();
      if (this.#bytes > ratioFromBytes && this.#bytes > this.#packed * ratio) {
        throw this.refuse(`it unpacks to more than ${ratio} times its size`);
      }
      yield chunk;
    }
  }

  #tooLarge(): ArchiveError {
    return this.refuse(`it unpacks to over ${this.limits.totalBytes} bytes`);
  }
}

function entryPath(
  raw: string,
  limits: ArchiveLimits,
  refuse: (reason: string) => ArchiveError,
): string {
  const shown = JSON.stringify(raw.slice(0, 200));
  if (Buffer.byteLength(raw) > limits.pathBytes) throw refuse(`the path ${shown} is too long`);
  if (raw.startsWith('/')) throw refuse(`the path ${shown} is absolute`);
  if (/[\0\\\uFFFD]/.test(raw)) throw refuse(`the path ${shown} holds an unusable character`);
  const segments = raw.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw refuse(`the path ${shown} leads out of the archive`);
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)) {
    throw refuse(`the path ${shown} has a name longer than ${MAX_SEGMENT_BYTES} bytes`);
  }
  if (segments.length > limits.depth + 1) {
    throw refuse(`the path ${shown} is more than ${limits.depth} folders deep`);
  }
  return segments.join('/');
}

function explain(error: unknown, refuse: (reason: string) => ArchiveError): unknown {
  if (error instanceof ObjectStoreError) return error;
  const code = systemErrorCode(error) ?? '';
  if (['EEXIST', 'EISDIR', 'ENOTDIR'].includes(code)) {
    return refuse('two of its entries have the same path, or one is a file and a folder at once');
  }
  if (code.startsWith('Z_')) return refuse('it is no gzip file, or is damaged or cut short');
  if (error instanceof Error && ['', 'STREAM_DESTROYED'].includes(code)) {
    return refuse(`it is damaged: ${error.message}`);
  }
  return error;
}

/** The folder itself, or its only folder if the checkpoint lies one level down. */
async function checkpointFolder(target: string): Promise<string> {
  const names: string[] = [];
  for await (const entry of await opendir(target)) names.push(entry.name);
  const [only] = names;
  if (names.length !== 1 || only === undefined) return target;
  const inner = join(target, only);
  const config = await stat(join(inner, 'config.json')).catch(() => undefined);
  return config?.isFile() === true ? inner : target;
}
