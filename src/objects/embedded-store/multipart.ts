import { randomUUID } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareUtf8 } from '../byte-order.js';
import type { DataKey, KeyAccess, ObjectKeys } from '../encrypted-files/object-keys.js';
import { SegmentSealer } from '../encrypted-files/segment-sealer.js';
import { noSuchUpload, ObjectStoreError } from '../errors.js';
import type { Body, ObjectInfo } from '../object-store.js';
import type {
  CompletedPart,
  CompleteUploadOptions,
  CreateUploadOptions,
  PartInfo,
  PartOptions,
  UploadInfo,
  UploadStore,
} from '../served-object-store.js';
import { assembleParts, isPlaceable, slotPosition, slotSealer } from './assembling.js';
import { newDataKey, openDataKey } from './encrypted-objects.js';
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
  readonly #keys: ObjectKeys | undefined;
  /** Part numbers by upload whose slots a body is being written to now. */
  readonly #busySlots = new Map<string, Set<number>>();

  constructor(layout: Layout, locks: KeyedLocks, keys: ObjectKeys | undefined) {
    this.#layout = layout;
    this.#locks = locks;
    this.#keys = keys;
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
    const encryption =
      options.encryption === undefined
        ? undefined
        : await newDataKey(this.#keys, bucket, key, options.encryption);
    const record: UploadRecord = {
      bucket,
      key,
      initiatedAt: new Date().toISOString(),
      headers: options.headers ?? {},
      metadata: options.metadata ?? {},
      checksum: options.checksum ?? { algorithm: DEFAULT_CHECKSUM, type: 'FULL_OBJECT' },
      ...(encryption === undefined
        ? {}
        : { encryption: { keyArn: encryption.keyArn, wrapped: encryption.wrapped } }),
    };
    return describeUpload(await createUploadFolder(this.#layout, record), record);
  }

  async uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Body,
    options: PartOptions,
  ): Promise<PartInfo> {
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MAX_PARTS) {
      throw new ObjectStoreError(
        'InvalidArgument',
        `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
      );
    }
    checkLength(options.expectedLength);
    const record = await readUpload(this.#layout, bucket, key, uploadId);
    const dataKey = await this.#openKey(record, options);
    const folder = uploadFolder(this.#layout, uploadId);
    const slot = await this.#locks.run(uploadId, () =>
      this.#takeSlot(folder, partNumber, options.expectedLength, dataKey),
    );
    try {
      const file = slot === undefined ? `part-${partNumber}-${randomUUID()}.bin` : undefined;
      const place = placeOf(folder, slot, file, dataKey);
      const { path } = place;
      try {
        const part = await this.#receive(place, record, partNumber, body, options);
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

  /** The key of an upload that was created to be encrypted. */
  async #openKey(record: UploadRecord, access: KeyAccess): Promise<DataKey | undefined> {
    const { bucket, key, encryption } = record;
    if (encryption === undefined) return undefined;
    const plaintext = await openDataKey(this.#keys, bucket, key, encryption, access);
    return { ...encryption, plaintext };
  }

  async #receive(
    { path, position, sealer }: PartPlace,
    record: UploadRecord,
    partNumber: number,
    body: Body,
    options: PartOptions,
  ): Promise<PartRecord> {
    const file = await openForWriting(path);
    try {
      const { algorithm } = record.checksum;
      const keep = ['MD5', algorithm] as const;
      const { size, digests } = await receiveBody(body, { file, position, sealer }, keep, options);
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
   * The place in the object where this part may be written at once, in bytes, if it may. The caller
   * holds the upload's lock, so no slot is taken while the upload is being completed.
   */
  async #takeSlot(
    folder: string,
    partNumber: number,
    length: number,
    dataKey: DataKey | undefined,
  ): Promise<number | undefined> {
    let slotSize = await readSlotSize(folder);
    if (slotSize === undefined && partNumber === 1) {
      slotSize = length;
      await writeSlotSize(folder, slotSize);
    }
    const busy = this.#busySlots.get(folder) ?? new Set();
    if (slotSize === undefined || length > slotSize || busy.has(partNumber)) return undefined;
    if (!isPlaceable((partNumber - 1) * slotSize, dataKey)) return undefined;
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
      const dataKey = await this.#openKey(record, {});
      const assembly = { mayTakeData, dataKey, signal: options.signal };
      const path = await assembleParts(folder, chosen, arrived, assembly);
      const stats = await syncedStats(path);
      const draft = { path, stats, attributes };
      await this.#locks.run(`${bucket}/${key}`, () =>
        installObject(this.#layout, bucket, key, draft, options.condition),
      );
      await rm(folder, { recursive: true, force: true });
      return describeObject(this.#layout, bucket, key, stats, path);
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

/** Where a part's bytes go. */
interface PartPlace {
  readonly path: string;
  readonly position: number;
  readonly sealer: SegmentSealer | undefined;
}

/** @param slot the part's place in the object; undefined for one that waits in a file of its own */
function placeOf(
  folder: string,
  slot: number | undefined,
  file: string | undefined,
  dataKey: DataKey | undefined,
): PartPlace {
  if (slot !== undefined) {
    const position = slotPosition(slot, dataKey);
    return { path: dataFile(folder), position, sealer: slotSealer(slot, dataKey) };
  }
  const sealer = dataKey === undefined ? undefined : new SegmentSealer(dataKey.plaintext, file);
  return { path: join(folder, file ?? ''), position: 0, sealer };
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
