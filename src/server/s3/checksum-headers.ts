import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../../objects/checksums.js';
import type { StoredChecksum } from '../../objects/object-store.js';
import type { DigestDemand } from '../../objects/served-object-store.js';
import type { HeaderValues } from './s3-call.js';
import { invalidRequest, S3Error } from './s3-error.js';
import type { XmlNode } from './xml.js';

/** How each algorithm is spelled in `x-amz-checksum-…` headers and in XML, and its size in bytes. */
const SPELLINGS: Record<
  ChecksumAlgorithm,
  { readonly header: string; readonly element: string; readonly bytes: number }
> = {
  CRC32: { header: 'x-amz-checksum-crc32', element: 'ChecksumCRC32', bytes: 4 },
  CRC32C: { header: 'x-amz-checksum-crc32c', element: 'ChecksumCRC32C', bytes: 4 },
  CRC64NVME: { header: 'x-amz-checksum-crc64nvme', element: 'ChecksumCRC64NVME', bytes: 8 },
  SHA1: { header: 'x-amz-checksum-sha1', element: 'ChecksumSHA1', bytes: 20 },
  SHA256: { header: 'x-amz-checksum-sha256', element: 'ChecksumSHA256', bytes: 32 },
};
const MD5_BYTES = 16;

/** What the checksum of an algorithm is called in documents. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return SPELLINGS[algorithm].element;
}

/** Any of the algorithms, whatever the case. @throws S3Error InvalidRequest */
export function parseAlgorithm(text: string): ChecksumAlgorithm {
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === text.toUpperCase());
  if (algorithm === undefined) {
    throw invalidRequest(
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(', ')}]`,
    );
  }
  return algorithm;
}

/** The one checksum given in the headers, if any. @throws S3Error InvalidRequest */
export function headerChecksum(
  headers: ReadonlyMap<string, string>,
): { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined {
  const [given, more] = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = headers.get(SPELLINGS[algorithm].header);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  if (more !== undefined) {
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.',
    );
  }
  return given;
}

/**
 * What the headers say of a body's digests: Content-MD5 and one checksum, which may follow in a
 * trailer.
 *
 * @param trailers filled once the body has been read
 * @throws S3Error InvalidDigest, InvalidRequest
 */
export function readChecksumHeaders(
  headers: ReadonlyMap<string, string>,
  trailers: ReadonlyMap<string, string>,
): {
  readonly algorithm: ChecksumAlgorithm | undefined;
  readonly demands: readonly DigestDemand[];
} {
  const demands: DigestDemand[] = [];
  const md5 = headers.get('content-md5');
  if (md5 !== undefined) {
    if (!isBase64Of(md5, MD5_BYTES)) {
      throw new S3Error('InvalidDigest', 400, 'The Content-MD5 you specified is not valid.');
    }
    demands.push({ algorithm: 'MD5', expected: () => md5 });
  }
  const given = headerChecksum(headers);
  if (given !== undefined) {
    checkValue(given.algorithm, given.value);
    demands.push({ algorithm: given.algorithm, expected: () => given.value });
    return { algorithm: given.algorithm, demands };
  }
  const trailing = trailingAlgorithm(headers.get('x-amz-trailer'));
  if (trailing !== undefined) {
    demands.push({
      algorithm: trailing,
      expected: () => {
        const value = trailers.get(SPELLINGS[trailing].header);
        if (value === undefined) {
          throw new S3Error(
            'MalformedTrailerError',
            400,
            `The trailer lacks the ${SPELLINGS[trailing].header} that x-amz-trailer announced.`,
          );
        }
        checkValue(trailing, value);
        return value;
      },
    });
    return { algorithm: trailing, demands };
  }
  const wish = headers.get('x-amz-sdk-checksum-algorithm');
  return { algorithm: wish === undefined ? undefined : parseAlgorithm(wish), demands };
}

function trailingAlgorithm(names: string | undefined): ChecksumAlgorithm | undefined {
  if (names === undefined) return undefined;
  const wanted = names.toLowerCase().trim();
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => SPELLINGS[known].header === wanted);
  if (algorithm === undefined) {
    throw invalidRequest('The value specified in the x-amz-trailer header is not supported');
  }
  return algorithm;
}

function checkValue(algorithm: ChecksumAlgorithm, value: string): void {
  const { header, bytes } = SPELLINGS[algorithm];
  if (!isBase64Of(value, bytes)) throw invalidRequest(`Value for ${header} header is invalid.`);
}

function isBase64Of(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64');
  return decoded.byteLength === bytes && decoded.toString('base64') === text;
}

/** A stored checksum as response headers. */
export function checksumHeaders(checksum: StoredChecksum | undefined): HeaderValues {
  if (checksum === undefined) return {};
  return {
    [SPELLINGS[checksum.algorithm].header]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}

/** A part's checksum as a response header. */
export function partChecksumHeader(checksum: {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}): HeaderValues {
  return { [SPELLINGS[checksum.algorithm].header]: checksum.value };
}

/** A stored checksum as XML elements. */
export function checksumNodes(checksum: StoredChecksum | undefined): readonly XmlNode[] {
  if (checksum === undefined) return [];
  return [
    [checksumElement(checksum.algorithm), checksum.value],
    ['ChecksumType', checksum.type],
  ];
}
