import { SEGMENT_BYTES, sealSegment } from './format.js';

/** Seals bytes as they pass by, in pieces of any size, one segment after the other. */
export class SegmentSealer {
  readonly #dataKey: Uint8Array;
  readonly #place: string;
  #index: number;
  #pieces: Uint8Array[] = [];
  #gathered = 0;

  /** @param index the number of the first segment */
  constructor(dataKey: Uint8Array, place = '', index = 0) {
    this.#dataKey = dataKey;
    this.#place = place;
    this.#index = index;
  }

  /** The segments that a piece completes, ready to be written. */
  push(piece: Uint8Array): Uint8Array[] {
    const sealed: Uint8Array[] = [];
    let at = 0;
    while (at < piece.byteLength) {
      const taken = piece.subarray(at, at + SEGMENT_BYTES - this.#gathered);
      this.#pieces.push(taken);
      this.#gathered += taken.byteLength;
      at += taken.byteLength;
      if (this.#gathered === SEGMENT_BYTES) sealed.push(...this.end());
    }
    return sealed;
  }

  /** What is left, as the last and shorter segment. */
  end(): Uint8Array[] {
    if (this.#gathered === 0) return [];
    const sealed = sealSegment(this.#dataKey, this.#place, this.#index, this.#pieces);
    this.#index += 1;
    this.#pieces = [];
    this.#gathered = 0;
    return sealed;
  }
}
