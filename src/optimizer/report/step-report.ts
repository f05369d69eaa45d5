/** What the report of every step tells, whatever its technique. Sizes are bytes, times are seconds. */
export interface TechniqueReport {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Every setting of the technique with the value that was used, by its `OPTION_` name. */
  readonly settings: Readonly<Record<string, string>>;
  readonly totals: SizesReport;
  /** What was done otherwise than a reader might expect, in sentences. */
  readonly notes: readonly string[];
  readonly performance: {
    readonly seconds: number;
    readonly secondsByPhase: Readonly<Record<string, number>>;
    /** Of the phase that a technique is named for, without what was finished before it: bytes of the source
     * where it quantizes or shards, of the graph's weights where it compiles. */
    readonly bytesPerSecond: number;
    /** Largest resident memory of the whole process with its threads. Compiled graphs are measured in
     * others. */
    readonly peakMemoryBytes: number;
  };
  readonly versions: VersionsReport;
}

export interface SizesReport {
  /** All tensors of the source, and of the result: of all ranks together, or the graph's. */
  readonly weightBytesBefore: number;
  readonly weightBytesAfter: number;
  /** All files of the source's folder, and of the result's without this report. */
  readonly folderBytesBefore: number;
  readonly folderBytesAfter: number;
}

/** What a step ran on. */
export interface VersionsReport {
  readonly burnish: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  /** Processors that the process could use. */
  readonly processors: number;
}
