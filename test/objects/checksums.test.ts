import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from '#burnish/objects/byte-order.js';
import {
  CHECKSUM_ALGORITHMS,
  type DigestAlgorithm,
  digestOf,
  startDigest,
} from '#burnish/objects/checksums.js';
import { type CombinableAlgorithm, combineCrcs } from '#burnish/objects/crc-combine.js';

/** The check values of the catalogue of CRCs and the known digests, all of "123456789". */
const CHECK: Record<DigestAlgorithm, string> = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  MD5: '25f9e794323b453885f5181f1b624d0b',
};

describe.each([...CHECKSUM_ALGORITHMS, 'MD5'] as const)('%s', (algorithm) => {
  it('has the known check value', async () => {
    expect((await digestOf(algorithm, Buffer.from('123456789'))).toString('hex')).toBe(
      CHECK[algorithm],
    );
  });

  it('does not depend on how the bytes are cut, nor on digests beside it', async () => {
    const bytes = randomBytes(100_000);
    const whole = (await digestOf(algorithm, bytes)).toString('hex');
    const [pieces, other] = await Promise.all([startDigest(algorithm), startDigest(algorithm)]);
    for (let from = 0; from < bytes.length; ) {
      const to = from + 1 + ((from * 7919) % 5000);
      pieces.update(bytes.subarray(from, to));
      other.update(Buffer.from('noise'));
      from = to;
    }
    expect(pieces.finish().toString('hex')).toBe(whole);
    expect(other.finish().toString('hex')).not.toBe(whole);
    expect((await digestOf(algorithm, bytes)).toString('hex')).toBe(whole);
  });
});

describe.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
  'combining %s',
  (algorithm: CombinableAlgorithm) => {
    it.each([[[1]], [[10, 20, 0, 5]], [[8192, 8192, 8192, 17]], [[0, 0]]])(
      'parts of %j bytes',
      async (lengths) => {
        const parts = lengths.map((length) => randomBytes(length));
        const crcs = await Promise.all(
          parts.map(async (part) => ({
            crc: await digestOf(algorithm, part),
            length: part.length,
          })),
        );
        const whole = await digestOf(algorithm, Buffer.concat(parts));
        expect(combineCrcs(algorithm, crcs).toString('hex')).toBe(whole.toString('hex'));
      },
    );
  },
);

describe('UTF-8 byte order', () => {
  it('sorts as the bytes sort, past the basic plane too', () => {
    const texts = ['a', 'a/', 'a.', 'a-', 'ab', 'é', '\ue000', '\uffee', '😀', '𝒜', 'Z', '', 'a/b'];
    const byBytes = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect([...texts].sort(compareUtf8)).toEqual(byBytes);
  });
});
