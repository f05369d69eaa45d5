import { describe, expect, it } from 'vitest';
import { Admission } from '#burnish/jobs/admission/admission.js';
import type { JobContext } from '#burnish/jobs/job-context.js';
import type { JobRecord } from '#burnish/store/job-record.js';
import { createLogger } from '#burnish/telemetry/logger.js';

function admission(elsewhere = false) {
  const lines: string[] = [];
  const context = {
    executor: { runsElsewhere: () => elsewhere },
    capacity: { cores: 4, memoryBytes: 4e9 },
    logger: createLogger('warn', { write: (line) => lines.push(line) }),
  };
  return { it: new Admission(context as unknown as JobContext, 10), lines };
}

const job = (name: string, memoryBytes: number) =>
  ({
    name,
    needs: { cores: 64, memoryBytes, diskBytes: 5 },
    request: { OptimizationConfigs: [{ ModelQuantizationConfig: {} }] },
  }) as unknown as JobRecord;

describe('what running jobs have', () => {
  it('is what they were given, never more cores than there are', () => {
    const { it: jobs } = admission();
    jobs.place(job('a', 1e9));
    expect(jobs.given).toEqual({ cores: 4, memoryBytes: 1e9, diskBytes: 5 });
    jobs.release('a');
    expect(jobs.given).toEqual({ cores: 0, memoryBytes: 0, diskBytes: 0 });
  });

  it('is space on the disk alone where the steps run on other machines', () => {
    const { it: jobs } = admission(true);
    jobs.place(job('a', 1e9));
    expect(jobs.given).toEqual({ cores: 0, memoryBytes: 0, diskBytes: 5 });
  });

  it('is what they take where that is more than was expected, which is said once', () => {
    const { it: jobs, lines } = admission();
    jobs.place(job('a', 1e9));
    jobs.measured('a', 0.5e9);
    expect(jobs.given.memoryBytes).toBe(1e9);
    jobs.measured('a', 2e9);
    jobs.measured('a', 3e9);
    jobs.measured('b', 3e9);
    expect(jobs.given.memoryBytes).toBe(3e9);
    expect(lines).toHaveLength(1);
  });
});
