import { createHash } from 'node:crypto';
import { digestOf } from '../checksums.js';
import { combineCrcs, isCombinable } from '../crc-combine.js';
import { ObjectStoreError } from '../errors.js';
import type { StoredChecksum } from '../object-store.js';
import type { CompletedPart, CompleteUploadOptions } from '../served-object-store.js';
import type { PartRecord, UploadRecord } from './multipart-files.js';
import { encryptedEtag } from './objects.js';
import type { ObjectAttributes } from './sidecar.js';

/** S3's smallest part, but for the last one. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

/**
 * The parts that a client asks to be put together, checked as S3 checks them.
 *
 * @throws ObjectStoreError InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidRequest
 */
export function chooseParts(
  record: UploadRecord,
  arrived: readonly PartRecord[],
  wanted: readonly CompletedPart[],
): readonly PartRecord[] {
  if (wanted.length === 0) {
    throw new ObjectStoreError('InvalidRequest', 'You must specify at least one part');
  }
  const byNumber = new Map(arrived.map((part) => [part.partNumber, part]));
  let previous = 0;
  const chosen = wanted.map((want) => {
    if (want.partNumber <= previous) {
      throw new ObjectStoreError(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    previous = want.partNumber;
    const part = byNumber.get(want.partNumber);
    const checksum = want.checksum;
    if (
      part === undefined ||
      part.md5 !== want.etag ||
      (checksum?.algorithm === record.checksum.algorithm && checksum.value !== part.checksum)
    ) {
      throw new ObjectStoreError(
        'InvalidPart',
        `Part ${want.partNumber} could not be found: it was not uploaded, or its ETag or checksum is another one.`,
      );
    }
    return part;
  });
  const small = chosen.slice(0, -1).find((part) => part.size < MIN_PART_BYTES);
  if (small !== undefined) {
    throw new ObjectStoreError(
      'EntityTooSmall',
      `Your proposed upload is smaller than the minimum allowed size: part ${small.partNumber} has ${small.size} bytes, and only the last part may have less than ${MIN_PART_BYTES}.`,
    );
  }
  return chosen;
}

/**
 * The attributes of the whole: its ETag is the MD5 of the parts' MD5s with their number, its
 * checksum is combined from the parts'.
 *
 * @throws ObjectStoreError BadDigest, InvalidRequest when the whole is not what the client says
 */
export async function multipartAttributes(
  record: UploadRecord,
  parts: readonly PartRecord[],
  options: CompleteUploadOptions,
): Promise<ObjectAttributes> {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (options.expectedSize !== undefined && options.expectedSize !== size) {
    throw new ObjectStoreError(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${options.expectedSize} does not match what was computed: ${size}`,
    );
  }
  const checksum = await wholeChecksum(record, parts);
  const expected = options.expectedChecksum;
  if (
    expected !== undefined &&
    (expected.algorithm !== checksum.algorithm || !sameChecksum(checksum, expected.value))
  ) {
    throw new ObjectStoreError(
      'BadDigest',
      `The ${expected.algorithm} you specified did not match the calculated checksum.`,
    );
  }
  const { encryption } = record;
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(part.md5, 'hex')));
  const etag =
    encryption === undefined ? createHash('md5').update(md5s).digest('hex') : encryptedEtag();
  return {
    etag: `${etag}-${parts.length}`,
    headers: record.headers,
    metadata: record.metadata,
    checksum,
    ...(encryption === undefined ? {} : { encrypted: { keyArn: encryption.keyArn, size } }),
  };
}

/** Clients send a composite checksum with the number of parts behind it or without. */
function sameChecksum(checksum: StoredChecksum, expected: string): boolean {
  return checksum.value === expected || checksum.value === checksumWithCount(checksum, expected);
}

function checksumWithCount(checksum: StoredChecksum, expected: string): string {
  const count = checksum.value.lastIndexOf('-');
  return checksum.type === 'COMPOSITE' ? expected + checksum.value.slice(count) : expected;
}

async function wholeChecksum(
  record: UploadRecord,
  parts: readonly PartRecord[],
): Promise<StoredChecksum> {
  const { algorithm, type } = record.checksum;
  const digests = parts.map((part) => Buffer.from(part.checksum, 'base64'));
  if (type === 'COMPOSITE') {
    const value = await digestOf(algorithm, Buffer.concat(digests));
    return { algorithm, type, value: `${value.toString('base64')}-${parts.length}` };
  }
  if (!isCombinable(algorithm)) {
    throw new ObjectStoreError(
      'InvalidRequest',
      `${algorithm} checksums of parts cannot make a full-object checksum.`,
    );
  }
  const crcs = parts.map((part, index) => ({
    crc: digests[index] ?? Buffer.alloc(0),
    length: part.size,
  }));
  return { algorithm, type, value: combineCrcs(algorithm, crcs).toString('base64') };
}
