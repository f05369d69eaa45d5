import { createHash, randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import type { ObjectEncryption } from '../encrypted-files/object-keys.js';
import type { ObjectHeaders, ObjectInfo, StoredChecksum } from '../object-store.js';
import { headerAt } from './encrypted-objects.js';
import { isAbsence, type Layout, sidecarPath } from './layout.js';

/** What S3 knows of an object beyond its bytes. */
export interface ObjectAttributes {
  readonly etag: string;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksum?: StoredChecksum;
  /** Given for an encrypted object, with its bytes in clear. */
  readonly encrypted?: ObjectEncryption & { readonly size: number };
}

/** The identity of the file version that a sidecar describes. */
interface FileVersion {
  readonly size: string;
  readonly modified: string;
  readonly inode: string;
}

interface Sidecar extends ObjectAttributes, FileVersion {
  readonly key: string;
}

function versionOf(stats: BigIntStats): FileVersion {
  return {
    size: String(stats.size),
    modified: String(stats.mtimeNs),
    inode: String(stats.ino),
  };
}

/** Records an object's attributes for the file version that is about to become visible. */
export async function writeSidecar(
  layout: Layout,
  bucket: string,
  key: string,
  stats: BigIntStats,
  attributes: ObjectAttributes,
): Promise<void> {
  const path = sidecarPath(layout, bucket, key);
  const draft = `${path}.${randomUUID()}.draft`;
  const sidecar: Sidecar = { key, ...versionOf(stats), ...attributes };
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(draft, JSON.stringify(sidecar), { flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Forgets what is kept beside an object; nothing where there is none. */
export async function removeSidecar(layout: Layout, bucket: string, key: string): Promise<void> {
  await rm(sidecarPath(layout, bucket, key), { force: true });
}

/**
 * What is known of an object. A file that a person or a job put there, or that was changed, has no
 * attributes of this version, so its ETag is derived from the version, in the shape of a multipart
 * ETag, which no client takes for the MD5 of the content; and whether it is encrypted, its own
 * beginning tells.
 *
 * @param path where the file really is
 */
export async function describeObject(
  layout: Layout,
  bucket: string,
  key: string,
  stats: BigIntStats,
  path: string,
): Promise<ObjectInfo> {
  const common = {
    key,
    size: Number(stats.size),
    lastModified: new Date(Number(stats.mtimeMs)),
  };
  const sidecar = await readSidecar(layout, bucket, key, stats);
  if (sidecar === undefined) {
    const version = Object.values(versionOf(stats)).join('-');
    const etag = `${createHash('md5').update(version).digest('hex')}-1`;
    const plain = { ...common, etag, headers: {}, metadata: {} };
    const header = await headerAt(path, stats);
    if (header === undefined) return plain;
    return { ...plain, size: header.size, encryption: { keyArn: header.keyArn } };
  }
  const { etag, headers, metadata, checksum, encrypted } = sidecar;
  return {
    ...common,
    etag,
    headers,
    metadata,
    ...(checksum === undefined ? {} : { checksum }),
    ...(encrypted === undefined
      ? {}
      : { size: encrypted.size, encryption: { keyArn: encrypted.keyArn } }),
  };
}

/** Whether the file of an object is an encrypted one. @param path where it really is */
export async function isEncrypted(
  layout: Layout,
  path: string,
  stats: BigIntStats,
): Promise<boolean> {
  const [bucket = '', ...segments] = path.slice(layout.buckets.length + sep.length).split(sep);
  const { encryption } = await describeObject(layout, bucket, segments.join('/'), stats, path);
  return encryption !== undefined;
}

async function readSidecar(
  layout: Layout,
  bucket: string,
  key: string,
  stats: BigIntStats,
): Promise<Sidecar | undefined> {
  let text: string;
  try {
    text = await readFile(sidecarPath(layout, bucket, key), 'utf8');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  const sidecar = parseSidecar(text);
  const version = versionOf(stats);
  const current =
    sidecar?.key === key &&
    sidecar.size === version.size &&
    sidecar.modified === version.modified &&
    sidecar.inode === version.inode;
  return current ? sidecar : undefined;
}

/** A sidecar cut short by a crash counts as none. */
function parseSidecar(text: string): Sidecar | undefined {
  try {
    return JSON.parse(text) as Sidecar;
  } catch {
    return undefined;
  }
}
