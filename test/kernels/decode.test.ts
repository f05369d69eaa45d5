import { describe, expect, it } from 'vitest';
import {
  decodeColumns,
  decodeFloats,
  decodeHalf,
  decodeRows,
  type EncodedRows,
} from '#burnish/kernels/index.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('decodeFloats', () => {
  it('reads F32 and BF16 as the bits they are', () => {
    expect(decodeFloats(bytes(0, 0, 0x80, 0x3f, 1, 0, 0, 0), 'F32')).toEqual(
      Float32Array.of(1, 2 ** -149),
    );
    expect(decodeFloats(bytes(0x80, 0x3f, 0x49, 0xc0, 0x01, 0, 0x80, 0xff), 'BF16')).toEqual(
      Float32Array.of(1, -3.140625, 2 ** -133, Number.NEGATIVE_INFINITY),
    );
  });

  it('reads from an odd place in a buffer', () => {
    const all = bytes(0xff, 0x80, 0x3f, 0x00, 0x40);
    expect(decodeFloats(all.subarray(1), 'BF16')).toEqual(Float32Array.of(1, 2));
  });

  it('knows the landmarks of half precision', () => {
    expect(decodeHalf(0x3c00)).toBe(1);
    expect(decodeHalf(0xc000)).toBe(-2);
    expect(decodeHalf(0x7bff)).toBe(65504);
    expect(decodeHalf(0x0400)).toBe(2 ** -14);
    expect(decodeHalf(0x03ff)).toBe(1023 * 2 ** -24);
    expect(decodeHalf(0x0001)).toBe(2 ** -24);
    expect(decodeHalf(0x8000)).toBe(-0);
    expect(decodeHalf(0x7c00)).toBe(Number.POSITIVE_INFINITY);
    expect(decodeHalf(0xfc00)).toBe(Number.NEGATIVE_INFINITY);
    expect(decodeHalf(0x7e00)).toBeNaN();
    expect(decodeHalf(0x3555)).toBe(1365 * 2 ** -12);
  });
});

describe('decodeRows', () => {
  const scales = bytes(0x00, 0x40, 0x00, 0x3f); // BF16 2 and 0.5

  it('reads FP8 and int8 codes', () => {
    const shape = { scaleType: 'BF16', rows: 2, columns: 2, scales } as const;
    expect(
      decodeRows({
        ...shape,
        scheme: { type: 'float', bits: 8, strategy: 'channel' },
        codes: bytes(0x38, 0xb8, 0x7e, 0x01),
      }),
    ).toEqual(Float32Array.of(2, -2, 224, 2 ** -10));
    const plain = { groupSize: undefined, symmetric: true, packed: false } as const;
    expect(
      decodeRows({
        ...shape,
        scheme: { type: 'int', bits: 8, strategy: 'channel', ...plain },
        codes: bytes(0x80, 0x7f, 0xff, 0x00),
      }),
    ).toEqual(Float32Array.of(-256, 254, -0.5, 0));
  });

  it('reads packed int4 codes from the lowest bits up, group by group, less the zero point', () => {
    const encoded: EncodedRows = {
      scheme: {
        type: 'int',
        bits: 4,
        strategy: 'group',
        groupSize: 8,
        symmetric: false,
        packed: true,
      },
      scaleType: 'BF16',
      rows: 1,
      columns: 16,
      // 0 1 2 … 7 and 8 9 … 15, less 8 each.
      codes: bytes(0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe),
      scales,
      // Row 0 of two groups: -8 + 1 and -8 + 15.
      zeroPoints: bytes(0x01, 0, 0, 0, 0x0f, 0, 0, 0),
    };
    const wanted = [
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((code) => (code - 1) * 2),
      ...[8, 9, 10, 11, 12, 13, 14, 15].map((code) => (code - 15) * 0.5),
    ];
    expect(Array.from(decodeRows(encoded))).toEqual(wanted);
    expect(Array.from(decodeColumns(encoded, 0, 5, 11))).toEqual(wanted.slice(5, 11));
  });
});
