import { readFileSync } from 'node:fs';
import type { CodeForm } from './code-form.js';
import type { FloatType } from './float-type.js';
import type { WeightScheme } from './weight-scheme.js';

/** What the WebAssembly module exports: src/kernels/assembly/index.ts. */
interface KernelExports {
  readonly memory: WebAssembly.Memory;
  firstFree(): number;
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

/** Numbers of the float types in the module (scale.ts). */
const FLOAT_TYPE_NUMBERS: Readonly<Record<FloatType, number>> = { F32: 0, F16: 1, BF16: 2 };

/** Kinds of code in the module (slab.ts). */
const FLOAT8 = 0;
const SYMMETRIC = 1;
const ASYMMETRIC = 2;

const PAGE_BYTES = 65536;
/** Regions start at multiples of a cache line. */
const ALIGNMENT = 64;

/** Compiles the module once; threads share the compiled code. */
export function compileKernels(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)));
}

/** Part of the module's memory. */
export interface Region {
  readonly address: number;
  readonly length: number;
}

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

/** The kernels in one thread, with their memory. */
export class Kernels {
  readonly #exports: KernelExports;

  constructor(module: WebAssembly.Module) {
    // The module is built with this program, from the sources that KernelExports describes.
    this.#exports = new WebAssembly.Instance(module).exports as unknown as KernelExports;
  }

  /**
   * Lays out regions of the given lengths one after another, growing the memory if they need it.
   * Whatever was laid out before is given up.
   */
  layOut<const Lengths extends readonly number[]>(
    lengths: Lengths,
  ): { readonly [I in keyof Lengths]: Region } {
    let next = Math.ceil(this.#exports.firstFree() / ALIGNMENT) * ALIGNMENT;
    const regions = lengths.map((length) => {
      const region: Region = { address: next, length };
      next += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
      return region;
    });
    const missing = next - this.#exports.memory.buffer.byteLength;
    if (missing > 0) this.#exports.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return regions as { readonly [I in keyof Lengths]: Region };
  }

  /** The region's bytes, or its first `length`. Not to be kept: growing the memory detaches it. */
  bytes(region: Region, length = region.length): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer, region.address, length);
  }

  /**
   * Encodes a slab. Returns -1, or the number of the first element of a group that no scale can be
   * given to.
   */
  quantizeSlab(slab: Slab): number {
    const { scheme, columns } = slab;
    const isInteger = scheme.type === 'int';
    return this.#exports.quantizeSlab(
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
    return this.#exports.encodeBlocks(
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
    this.#exports.packZeroPoints(from.address, rows, groups, bits, to.address);
  }

  /** Sums over the last slab, and where to look for its worst error (see `lastWorstBlock`). */
  lastErrors(): {
    readonly squaredErrors: number;
    readonly squares: number;
    readonly worstSquare: number;
    readonly worstBlock: number;
  } {
    return {
      squaredErrors: this.#exports.lastSquaredErrors(),
      squares: this.#exports.lastSquares(),
      worstSquare: this.#exports.lastWorstSquare(),
      worstBlock: this.#exports.lastWorstBlock(),
    };
  }

  /** The index of the first NaN or infinity among `count` elements; -1 if all are finite. */
  findNonFinite(type: FloatType, region: Region, count: number): number {
    return this.#exports.findNonFinite(FLOAT_TYPE_NUMBERS[type], region.address, count);
  }
}
