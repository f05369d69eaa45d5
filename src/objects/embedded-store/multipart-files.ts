import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChecksumAlgorithm, ChecksumType } from '../checksums.js';
import type { DataKey } from '../encrypted-files/object-keys.js';
import { noSuchUpload } from '../errors.js';
import type { ObjectHeaders } from '../object-store.js';
import type { PartInfo, UploadInfo } from '../served-object-store.js';
import { isAbsence, type Layout } from './layout.js';

/** What an upload was created with. */
export interface UploadRecord {
  readonly bucket: string;
  readonly key: string;
  readonly initiatedAt: string;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType };
  /** The key of an object that is to be encrypted, as its parts already are. */
  readonly encryption?: Pick<DataKey, 'keyArn' | 'wrapped'>;
}

/** A part that has arrived and was checked. */
export interface PartRecord {
  readonly partNumber: number;
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  /** Base64, by the upload's algorithm. */
  readonly checksum: string;
  readonly lastModified: string;
  /** The file that holds it, below the upload's folder; undefined: its slot of the data file. */
  readonly file?: string;
}

const UPLOAD_ID = /^[0-9a-f]{32}$/;
const RECORD = 'upload.json';
/** The size of a slot of the data file, once part 1 has told it. */
const SLOT = 'slot-size';
const PART = /^part-(\d{5})\.json$/;

/** The file that parts of equal size are written to in place. */
export function dataFile(folder: string): string {
  return join(folder, 'data');
}

/** @throws ObjectStoreError NoSuchUpload for what can be no upload's id */
export function uploadFolder(layout: Layout, uploadId: string): string {
  if (!UPLOAD_ID.test(uploadId)) throw noSuchUpload();
  return join(layout.multipart, uploadId);
}

/** Notes a new upload. @returns its id */
export async function createUploadFolder(layout: Layout, record: UploadRecord): Promise<string> {
  const uploadId = randomBytes(16).toString('hex');
  const folder = uploadFolder(layout, uploadId);
  await mkdir(folder);
  await writeFile(join(folder, RECORD), JSON.stringify(record), { flush: true });
  return uploadId;
}

/** The upload of that id, if it is one of this bucket and key. @throws NoSuchUpload */
export async function readUpload(
  layout: Layout,
  bucket: string,
  key: string,
  uploadId: string,
): Promise<UploadRecord> {
  const record = await readJson<UploadRecord>(join(uploadFolder(layout, uploadId), RECORD));
  if (record === undefined || record.bucket !== bucket || record.key !== key) throw noSuchUpload();
  return record;
}

/** Every upload under way, of any bucket. */
export async function readUploads(
  layout: Layout,
): Promise<{ readonly uploadId: string; readonly record: UploadRecord }[]> {
  const uploads: { uploadId: string; record: UploadRecord }[] = [];
  for (const uploadId of await readdir(layout.multipart)) {
    if (!UPLOAD_ID.test(uploadId)) continue;
    const record = await readJson<UploadRecord>(join(uploadFolder(layout, uploadId), RECORD));
    if (record !== undefined) uploads.push({ uploadId, record });
  }
  return uploads;
}

/** Bytes of the parts that are written in place; undefined until part 1 has told. */
export async function readSlotSize(folder: string): Promise<number | undefined> {
  return readJson<number>(join(folder, SLOT));
}

/** Notes how much room each part has in the upload’s file, in bytes. */
export async function writeSlotSize(folder: string, bytes: number): Promise<void> {
  await writeWhole(folder, SLOT, JSON.stringify(bytes));
}

/** The parts that have arrived, in order. */
export async function readParts(folder: string): Promise<PartRecord[]> {
  const parts: PartRecord[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (!PART.test(name)) continue;
    const part = await readJson<PartRecord>(join(folder, name));
    if (part !== undefined) parts.push(part);
  }
  return parts;
}

/** Records a part, in place of an earlier one of the same number. */
export async function writePart(folder: string, part: PartRecord): Promise<void> {
  const name = partName(part.partNumber);
  const before = await readJson<PartRecord>(join(folder, name));
  await writeWhole(folder, name, JSON.stringify(part));
  if (before?.file !== undefined) await rm(join(folder, before.file), { force: true });
}

/** Removes a part, and the file of its own that it may have. */
export async function removePart(folder: string, part: PartRecord): Promise<void> {
  await rm(join(folder, partName(part.partNumber)), { force: true });
  if (part.file !== undefined) await rm(join(folder, part.file), { force: true });
}

/** A part of that number, if one has arrived. */
export async function readPart(
  folder: string,
  partNumber: number,
): Promise<PartRecord | undefined> {
  return readJson<PartRecord>(join(folder, partName(partNumber)));
}

function partName(partNumber: number): string {
  return `part-${String(partNumber).padStart(5, '0')}.json`;
}

/** An upload as clients of the store see it. */
export function describeUpload(uploadId: string, record: UploadRecord): UploadInfo {
  return {
    uploadId,
    key: record.key,
    initiatedAt: new Date(record.initiatedAt),
    checksum: record.checksum,
    ...encryptionOf(record),
  };
}

function encryptionOf({ encryption }: UploadRecord) {
  return encryption === undefined ? {} : { encryption: { keyArn: encryption.keyArn } };
}

/** A part as clients of the store see it. */
export function describePart(record: UploadRecord, part: PartRecord): PartInfo {
  return {
    partNumber: part.partNumber,
    size: part.size,
    etag: part.md5,
    lastModified: new Date(part.lastModified),
    checksum: { algorithm: record.checksum.algorithm, value: part.checksum },
    ...encryptionOf(record),
  };
}

async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const draft = join(folder, `${randomUUID()}.draft`);
  try {
    await writeFile(draft, text);
    await rename(draft, join(folder, name));
  } catch (error) {
    if (isAbsence(error)) throw noSuchUpload(); // Aborted or completed meanwhile.
    throw error;
  }
}

/** Undefined for a file that is not there or was cut short by a crash. */
async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
