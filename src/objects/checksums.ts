import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm';

/** The checksums S3 keeps with an object. */
export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** What a body can be digested by: S3's checksums, and the MD5 of Content-MD5 and ETags. */
export type DigestAlgorithm = ChecksumAlgorithm | 'MD5';

/**
 * Whether a multipart object's checksum covers its bytes (`FULL_OBJECT`) or the checksums of its
 * parts (`COMPOSITE`).
 */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** The digest as S3 spells it in base64: big-endian for the CRCs. Ends the digest. */
  finish(): Buffer;
}

/** The reflected polynomials of CRC-32C (Castagnoli) and CRC-64/NVME. */
const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC64NVME_POLYNOMIAL = '9a6c9329ac4bc9b5';

/** Idle WebAssembly hashers: making one costs more than digesting a small object. */
const MAX_IDLE_HASHERS = 16;
const idle: { readonly CRC32C: IHasher[]; readonly CRC64NVME: IHasher[] } = {
  CRC32C: [],
  CRC64NVME: [],
};

/** Starts a digest that takes a body piece by piece. */
export async function startDigest(algorithm: DigestAlgorithm): Promise<RunningDigest> {
  switch (algorithm) {
    case 'CRC32':
      return startCrc32();
    case 'CRC32C':
      return startWasm(idle.CRC32C, () => createCRC32(CRC32C_POLYNOMIAL));
    case 'CRC64NVME':
      return startWasm(idle.CRC64NVME, () => createCRC64(CRC64NVME_POLYNOMIAL));
    case 'MD5':
    case 'SHA1':
    case 'SHA256': {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (bytes) => void hash.update(bytes), finish: () => hash.digest() };
    }
  }
}

/** The digest of bytes that are all there. */
export async function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Promise<Buffer> {
  const digest = await startDigest(algorithm);
  digest.update(bytes);
  return digest.finish();
}

function startCrc32(): RunningDigest {
  let value = 0;
  return {
    update(bytes) {
      value = crc32(bytes, value);
    },
    finish() {
      const result = Buffer.alloc(4);
      result.writeUInt32BE(value);
      return result;
    },
  };
}

async function startWasm(pool: IHasher[], make: () => Promise<IHasher>): Promise<RunningDigest> {
  const hasher = pool.pop() ?? (await make());
  hasher.init();
  return {
    update: (bytes) => void hasher.update(bytes),
    finish() {
      const result = Buffer.from(hasher.digest('binary'));
      if (pool.length < MAX_IDLE_HASHERS) pool.push(hasher);
      return result;
    },
  };
}
