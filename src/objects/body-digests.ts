import { type DigestAlgorithm, type RunningDigest, startDigest } from './checksums.js';
import { ObjectStoreError } from './errors.js';
import type { DigestDemand } from './served-object-store.js';

/** The digests of a body as it passes by, and the check of what the sender says of them. */
export class BodyDigests {
  readonly #running: ReadonlyMap<DigestAlgorithm, RunningDigest>;
  readonly #demands: readonly DigestDemand[];

  private constructor(
    running: ReadonlyMap<DigestAlgorithm, RunningDigest>,
    demands: readonly DigestDemand[],
  ) {
    this.#running = running;
    this.#demands = demands;
  }

  /** @param keep digests to compute besides the demanded ones */
  static async start(
    keep: readonly DigestAlgorithm[],
    demands: readonly DigestDemand[],
  ): Promise<BodyDigests> {
    const algorithms = new Set([...keep, ...demands.map((demand) => demand.algorithm)]);
    const running = new Map<DigestAlgorithm, RunningDigest>();
    for (const algorithm of algorithms) running.set(algorithm, await startDigest(algorithm));
    return new BodyDigests(running, demands);
  }

  update(bytes: Uint8Array): void {
    for (const digest of this.#running.values()) digest.update(bytes);
  }

  /**
   * Ends the digests.
   * @throws the error of the first demand that does not hold, or `BadDigest`
   */
  finish(): ReadonlyMap<DigestAlgorithm, Buffer> {
    const digests = new Map<DigestAlgorithm, Buffer>();
    for (const [algorithm, digest] of this.#running) digests.set(algorithm, digest.finish());
    for (const { algorithm, expected, mismatch } of this.#demands) {
      const actual = digests.get(algorithm)?.toString('base64') ?? '';
      const wanted = expected();
      if (wanted === undefined || wanted === actual) continue;
      throw (
        mismatch?.(actual) ??
        new ObjectStoreError(
          'BadDigest',
          `The ${algorithm} you specified did not match the calculated checksum.`,
        )
      );
    }
    return digests;
  }
}
