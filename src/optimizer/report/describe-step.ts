import type { TechniqueReport } from './step-report.js';
import { describeVersions } from './versions.js';

/** How a step went, to be told. */
export interface StepCourse {
  readonly startedAt: Date;
  readonly settings: { readonly effective: Readonly<Record<string, string>> };
  readonly notes: readonly string[];
  readonly secondsByPhase: Readonly<Record<string, number>>;
  /** Of the phase that the technique is named for. */
  readonly bytesPerSecond: number;
}

/** What is told of every step at its end, but the sizes. */
export function describeStep(course: StepCourse): Omit<TechniqueReport, 'totals'> {
  const { startedAt, settings, notes, secondsByPhase, bytesPerSecond } = course;
  const endedAt = new Date();
  return {
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    settings: settings.effective,
    notes,
    performance: {
      seconds: (endedAt.getTime() - startedAt.getTime()) / 1000,
      secondsByPhase,
      bytesPerSecond,
      // Node gives it in kilobytes.
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    },
    versions: describeVersions(),
  };
}
