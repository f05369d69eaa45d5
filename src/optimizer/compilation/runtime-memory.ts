const MEGABYTE = 1024 * 1024;

/** A process of Node with ONNX Runtime in it. */
const PROCESS_BYTES = 140 * MEGABYTE;

/** What ONNX Runtime has in memory for each byte of a graph's weights: as they are stored and as its kernels
 * pack them; where it saves what it has rewritten, that too. Measured (BENCHMARKS.md, "What a job is
 * expected to take"). */
const COPIES = { running: 1.4, rewriting: 2.6 } as const;

/** Part of the memory that is free that a graph's weights may take to be measured. */
export const MEASURED_SHARE = 0.45;

/** Memory that a process takes which runs a graph, or rewrites it. */
export function memoryOfGraph(weightBytes: number, what: keyof typeof COPIES): number {
  return PROCESS_BYTES + COPIES[what] * weightBytes;
}
