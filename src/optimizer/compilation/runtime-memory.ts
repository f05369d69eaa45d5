import type { FloatElement } from './graph/element.js';

const MEGABYTE = 1024 * 1024;

/** A process of Node with ONNX Runtime in it, a cache, and what lies between the layers while a text is
 * read. */
const PROCESS_BYTES = 180 * MEGABYTE;

/** What ONNX Runtime has in memory for each byte of a graph's weights, rewriting the graph or running it: as
 * they are stored and as its kernels pack them, and f16 widened. Measured (BENCHMARKS.md, "What a job is
 * expected to take"). */
const COPIES: Readonly<Record<FloatElement, number>> = { float32: 1.25, float16: 2 };

/** Part of the memory that is free that a graph's weights may take to be measured. */
export const MEASURED_SHARE = 0.45;

/** Memory of a process that rewrites a graph or runs it.
 * @param element of all that is not codes. */
export function memoryOfGraph(weightBytes: number, element: FloatElement): number {
  return PROCESS_BYTES + COPIES[element] * weightBytes;
}
