import { readFileSync } from 'node:fs';

/** What every use of the WebAssembly module (src/kernels/assembly/index.ts) needs of it. */
export interface MemoryExports {
  readonly memory: WebAssembly.Memory;
  firstFree(): number;
}

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

/** An instance of the module in one thread, with its memory. */
export abstract class KernelMemory<Exports extends MemoryExports> {
  protected readonly exports: Exports;

  constructor(module: WebAssembly.Module) {
    // The module is built with this program, from the sources that the exports' types describe.
    this.exports = new WebAssembly.Instance(module).exports as unknown as Exports;
  }

  /**
   * Lays out regions of the given lengths one after another, growing the memory if they need it.
   * Whatever was laid out before is given up.
   */
  layOut<const Lengths extends readonly number[]>(
    lengths: Lengths,
  ): { readonly [I in keyof Lengths]: Region } {
    let next = Math.ceil(this.exports.firstFree() / ALIGNMENT) * ALIGNMENT;
    const regions = lengths.map((length) => {
      const region: Region = { address: next, length };
      next += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
      return region;
    });
    const missing = next - this.exports.memory.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return regions as { readonly [I in keyof Lengths]: Region };
  }

  /** The region's bytes, or its first `length`. Not to be kept: growing the memory detaches it. */
  bytes(region: Region, length = region.length): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, region.address, length);
  }

  /** The region as f32; not to be kept either. */
  floats({ address, length }: Region): Float32Array {
    return new Float32Array(this.exports.memory.buffer, address, length / 4);
  }

  /** The region as i32; not to be kept either. */
  integers({ address, length }: Region): Int32Array {
    return new Int32Array(this.exports.memory.buffer, address, length / 4);
  }

  /** The region as f64; not to be kept either. */
  doubles({ address, length }: Region): Float64Array {
    return new Float64Array(this.exports.memory.buffer, address, length / 8);
  }
}
