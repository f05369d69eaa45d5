import { randomUUID } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareUtf8 } from '../byte-order.js';
import { noSuchUpload, ObjectStoreError } from '../errors.js';
import type {
  Body,
  BodyOptions,
  CompletedPart,
  CompleteUploadOptions,
  CreateUploadOptions,
  ObjectInfo,
  PartInfo,
  UploadInfo,
  UploadStore,
} from '../object-store.js';
import { assembleParts } from './assembling.js';
import { checkInstallable, installObject } from './installing.js';
import type { KeyedLocks } from './keyed-locks.js';
import { isAbsence, type Layout, objectPath, requireBucket } from './layout.js';
import {
  createUploadFolder,
  dataFile,
  describePart,
  describeUpload,
  type PartRecord,
  readPart,
  readParts,
  readSlotSize,
  readUpload,
  readUploads,
  type UploadRecord,
  uploadFolder,
  writePart,
  writeSlotSize,
} from './multipart-files.js';
import { chooseParts, multipartAttributes } from './multipart-parts.js';
import { checkLength, DEFAULT_CHECKSUM } from './objects.js';
import { receiveBody } from './receiving.js';
import { describeObject } from './sidecar.js';

export const MAX_PARTS = 10_000;

/**
 * Multipart uploads. Clients cut an object into parts of one size, so a part is written straight
 * to its place in one data file, and completing the upload is a rename. The size is learned from
 * part 1; what does not fit (parts before that, a part sent twice) waits in a file of its own.
 */
export class MultipartUploads implements UploadStore {
  readonly #layout: Layout;
  readonly #locks: KeyedLocks;
  /** Part numbers by upload whose slots a body is being written to now. */
  readonly #busySlots = new Map<string, Set<number>>();

  constructor(layout: Layout, locks: KeyedLocks) {
    this.#layout = layout;
    this.#locks = locks;
  }

  async create(bucket: string, key: string, options: CreateUploadOptions): Promise<UploadInfo> {
    await requireBucket(this.#layout, bucket);
    objectPath(this.#layout, bucket, key);
    if (key.endsWith('/')) {
      throw new ObjectStoreError(
        'InvalidArgument',
        `${JSON.stringify(key)} ends in a slash and so names a folder, which cannot hold data.`,
      );
    }
    const record: UploadRecord = {
      bucket,
      key,
      initiatedAt: new Date().toISOString(),
      headers: options.headers ?? {},
      metadata: options.metadata ?? {},
      checksum: options.checksum ?? { algorithm: DEFAULT_CHECKSUM, type: 'FULL_OBJECT' },
    };
    return describeUpload(await createUploadFolder(this.#layout, record), record);
  }

  async uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Body,
    options: BodyOptions,
  ): Promise<PartInfo> {
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MAX_PARTS) {
      throw new ObjectStoreError(
        'InvalidArgument',
        `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
      );
    }
    checkLength(options.expectedLength);
    const record = await readUpload(this.#layout, bucket, key, uploadId);
    const folder = uploadFolder(this.#layout, uploadId);
    const slot = await this.#locks.run(uploadId, () =>
      this.#takeSlot(folder, partNumber, options.expectedLength),
    );
    try {
      const file = slot === undefined ? `part-${partNumber}-${randomUUID()}.bin` : undefined;
      const path = file === undefined ? dataFile(folder) : join(folder, file);
      try {
        const part = await this.#receive(path, slot ?? 0, record, partNumber, body, options);
        const placed = file === undefined ? part : { ...part, file };
        await this.#locks.run(uploadId, () => writePart(folder, placed));
        return describePart(record, placed);
      } catch (error) {
        if (file !== undefined) await rm(path, { force: true });
        throw error;
      }
    } finally {
      if (slot !== undefined) this.#freeSlot(folder, partNumber);
    }
  }

  async #receive(
    path: string,
    position: number,
    record: UploadRecord,
    partNumber: number,
    body: Body,
    options: BodyOptions,
  ): Promise<PartRecord> {
    const file = await openForWriting(path);
    try {
      const { algorithm } = record.checksum;
      const keep = ['MD5', algorithm] as const;
      const { size, digests } = await receiveBody(body, file, position, keep, options);
      return {
        partNumber,
        size,
        md5: digests.get('MD5')?.toString('hex') ?? '',
        checksum: digests.get(algorithm)?.toString('base64') ?? '',
        lastModified: new Date().toISOString(),
      };
    } finally {
      await file.close();
    }
  }

  /**
   * The offset in the data file where this part may be written, if it may. The caller holds the
   * upload's lock, so no slot is taken while the upload is being completed.
   */
  async #takeSlot(folder: string, partNumber: number, length: number): Promise<number | undefined> {
    let slotSize = await readSlotSize(folder);
    if (slotSize === undefined && partNumber === 1) {
      slotSize = length;
      await writeSlotSize(folder, slotSize);
    }
    const busy = this.#busySlots.get(folder) ?? new Set();
    if (slotSize === undefined || length > slotSize || busy.has(partNumber)) return undefined;
    if ((await readPart(folder, partNumber)) !== undefined) return undefined;
    this.#busySlots.set(folder, busy.add(partNumber));
    return (partNumber - 1) * slotSize;
  }

  #freeSlot(folder: string, partNumber: number): void {
    const busy = this.#busySlots.get(folder);
    busy?.delete(partNumber);
    if (busy?.size === 0) this.#busySlots.delete(folder);
  }

  async listParts(
    bucket: string,
    key: string,
    uploadId: string,
  ): Promise<{ readonly upload: UploadInfo; readonly parts: readonly PartInfo[] }> {
    const record = await readUpload(this.#layout, bucket, key, uploadId);
    const parts = await readParts(uploadFolder(this.#layout, uploadId));
    return {
      upload: describeUpload(uploadId, record),
      parts: parts.map((part) => describePart(record, part)),
    };
  }

  async complete(
    bucket: string,
    key: string,
    uploadId: string,
    wanted: readonly CompletedPart[],
    options: CompleteUploadOptions = {},
  ): Promise<ObjectInfo> {
    return this.#locks.run(uploadId, async () => {
      const record = await readUpload(this.#layout, bucket, key, uploadId);
      const folder = uploadFolder(this.#layout, uploadId);
      const arrived = await readParts(folder);
      const chosen = chooseParts(record, arrived, wanted);
      const attributes = await multipartAttributes(record, chosen, options);
      await checkInstallable(this.#layout, bucket, key, options.condition);

      // A late body may still write to the data file, which then must not become the object.
      const mayTakeData = !this.#busySlots.has(folder);
      const path = await assembleParts(folder, chosen, arrived, mayTakeData, options.signal);
      const stats = await syncedStats(path);
      const draft = { path, stats, attributes };
      await this.#locks.run(`${bucket}/${key}`, () =>
        installObject(this.#layout, bucket, key, draft, options.condition),
      );
      await rm(folder, { recursive: true, force: true });
      return describeObject(this.#layout, bucket, key, stats);
    });
  }

  async abort(bucket: string, key: string, uploadId: string): Promise<void> {
    await this.#locks.run(uploadId, async () => {
      await readUpload(this.#layout, bucket, key, uploadId);
      await rm(uploadFolder(this.#layout, uploadId), { recursive: true, force: true });
    });
  }

  async list(bucket: string): Promise<readonly UploadInfo[]> {
    await requireBucket(this.#layout, bucket);
    return (await readUploads(this.#layout))
      .filter(({ record }) => record.bucket === bucket)
      .map(({ uploadId, record }) => describeUpload(uploadId, record))
      .sort(
        (a, b) =>
          compareUtf8(a.key, b.key) ||
          a.initiatedAt.getTime() - b.initiatedAt.getTime() ||
          compareUtf8(a.uploadId, b.uploadId),
      );
  }
}

async function syncedStats(path: string): Promise<BigIntStats> {
  const file = await open(path, 'r');
  try {
    await file.sync();
    return await file.stat({ bigint: true });
  } finally {
    await file.close();
  }
}

/** Opens without truncating: other parts are in the same file. */
async function openForWriting(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_WRONLY | constants.O_CREAT);
  } catch (error) {
    if (isAbsence(error)) throw noSuchUpload();
    throw error;
  }
}
