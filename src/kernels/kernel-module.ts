import type { CodeForm } from './code-form.js';
import { FLOAT_TYPE_NUMBERS, type FloatType } from './float-type.js';
import { KernelMemory, type MemoryExports, type Region } from './kernel-memory.js';
import type { WeightScheme } from './weight-scheme.js';

/** What the WebAssembly module exports: src/kernels/assembly/index.ts. */
interface KernelExports extends MemoryExports {
  quantizeSlab(
    sourceType: number,
    kind: number,
    bits: number,
    packed: number,
    source: number,
    rows: number,
    columns: number,
    groupSize: number,
    scaleType: number,
    codes: number,
    rowCodes: number,
    scales: number,
    zeroPoints: number,
  ): number;
  encodeBlocks(
    sourceType: number,
    bits: number,
    source: number,
    rows: number,
    columns: number,
    blockSize: number,
    codes: number,
    codeStride: number,
    scales: number,
    scaleStride: number,
    zeroPoints: number,
    zeroPointStride: number,
    floats: number,
    bytes: number,
  ): number;
  packZeroPoints(
    zeroPoints: number,
    rows: number,
    groups: number,
    bits: number,
    packed: number,
  ): void;
  lastSquaredErrors(): number;
  lastSquares(): number;
  lastWorstSquare(): number;
  lastWorstBlock(): number;
  findNonFinite(type: number, at: number, count: number): number;
}

/** Kinds of code in the module (slab.ts). */
const FLOAT8 = 0;
const SYMMETRIC = 1;
const ASYMMETRIC = 2;

/** A slab's settings and where its parts lie; see `encodeSlab` in assembly/slab.ts. */
export interface Slab {
  readonly sourceType: FloatType;
  readonly scheme: WeightScheme;
  readonly scaleType: FloatType;
  readonly rows: number;
  readonly columns: number;
  readonly source: Region;
  readonly codes: Region;
  readonly rowCodes: Region;
  readonly scales: Region;
  readonly zeroPoints: Region;
}

/** Rows to be encoded in blocks, and where their parts lie; see `encodeBlockRows` in assembly/blocks.ts. */
export interface BlockSlab {
  readonly form: CodeForm;
  readonly sourceType: FloatType;
  readonly rows: number;
  readonly columns: number;
  readonly source: Region;
  /** What is stored of the first row, and how far the next is from it. */
  readonly codes: StridedRows;
  readonly scales: StridedRows;
  /** Undefined where the form has none. */
  readonly zeroPoints: StridedRows | undefined;
  readonly floats: Region;
  readonly bytes: Region;
}

export interface StridedRows {
  readonly address: number;
  readonly stride: number;
}

/** The kernels that encode weights in a worker, with their memory. */
export class Kernels extends KernelMemory<KernelExports> {
  /**
   * Encodes a slab. Returns -1, or the number of the first element of a group that no scale can be
   * given to.
   */
  quantizeSlab(slab: Slab): number {
    const { scheme, columns } = slab;
    const isInteger = scheme.type === 'int';
    return this.exports.quantizeSlab(
      FLOAT_TYPE_NUMBERS[slab.sourceType],
      isInteger ? (scheme.symmetric ? SYMMETRIC : ASYMMETRIC) : FLOAT8,
      scheme.bits,
      isInteger && scheme.packed ? 1 : 0,
      slab.source.address,
      slab.rows,
      columns,
      isInteger ? (scheme.groupSize ?? columns) : columns,
      FLOAT_TYPE_NUMBERS[slab.scaleType],
      slab.codes.address,
      slab.rowCodes.address,
      slab.scales.address,
      slab.zeroPoints.address,
    );
  }

  /** Encodes rows in blocks. Returns -1, or the number of the first row with an element that is not finite. */
  encodeBlocks({ form, codes, scales, zeroPoints, ...slab }: BlockSlab): number {
    return this.exports.encodeBlocks(
      FLOAT_TYPE_NUMBERS[slab.sourceType],
      form.bits,
      slab.source.address,
      slab.rows,
      slab.columns,
      form.blockSize,
      codes.address,
      codes.stride,
      scales.address,
      scales.stride,
      zeroPoints?.address ?? 0,
      zeroPoints?.stride ?? 0,
      slab.floats.address,
      slab.bytes.address,
    );
  }

  /** Packs a slab's zero points, one a byte, into int32 words along the rows. */
  packZeroPoints(from: Region, rows: number, groups: number, bits: number, to: Region): void {
    this.exports.packZeroPoints(from.address, rows, groups, bits, to.address);
  }

  /** Sums over the last slab, and where to look for its worst error (see `lastWorstBlock`). */
  lastErrors(): {
    readonly squaredErrors: number;
    readonly squares: number;
    readonly worstSquare: number;
    readonly worstBlock: number;
  } {
    return {
      squaredErrors: this.exports.lastSquaredErrors(),
      squares: this.exports.lastSquares(),
      worstSquare: this.exports.lastWorstSquare(),
      worstBlock: this.exports.lastWorstBlock(),
    };
  }

  /** The index of the first NaN or infinity among `count` elements; -1 if all are finite. */
  findNonFinite(type: FloatType, region: Region, count: number): number {
    return this.exports.findNonFinite(FLOAT_TYPE_NUMBERS[type], region.address, count);
  }
}
