import { describe, expect, it } from 'vitest';
import {
  chooseJobs,
  type PlacedJob,
  type WaitingJob,
} from '#burnish/jobs/admission/choose-jobs.js';
import { add, fitsWithin, NOTHING } from '#burnish/jobs/admission/resources.js';
import { fc } from '../../support/properties.js';

const capacity = { cores: 8, memoryBytes: 100, diskBytes: 100 };
const machine = { capacity, maxJobs: 5 };

const job = (name: string, cores: number, memoryBytes = 1): WaitingJob => ({
  name,
  needs: { cores, memoryBytes, diskBytes: 0 },
});
const placed = (it: WaitingJob, overtook?: string): PlacedJob => ({ ...it, overtook });
const names = (jobs: readonly PlacedJob[]) => jobs.map(({ name }) => name);

describe('chooseJobs', () => {
  it('starts jobs in order while they fit', () => {
    expect(names(chooseJobs(machine, [], [job('a', 4), job('b', 4), job('c', 1)]))).toEqual([
      'a',
      'b',
    ]);
  });

  it('never runs more jobs than it may', () => {
    const many = Array.from({ length: 9 }, (_, index) => job(`j${index}`, 1));
    expect(chooseJobs(machine, [], many)).toHaveLength(5);
    expect(chooseJobs({ capacity, maxJobs: 1 }, [placed(job('x', 1))], many)).toEqual([]);
  });

  it('fills what the head of the queue leaves over, and no more', () => {
    const running = [placed(job('running', 4))];
    const waiting = [job('head', 6), job('b', 2), job('c', 2)];
    expect(chooseJobs(machine, running, waiting)).toEqual([placed(job('b', 2), 'head')]);
    const after = [placed(job('running', 4)), placed(job('b', 2), 'head')];
    expect(chooseJobs(machine, after, [job('head', 6), job('c', 2)])).toEqual([]);
    // What overtook a former head stands in nobody's account but what is free.
    const other = [placed(job('b', 2), 'former')];
    expect(names(chooseJobs(machine, other, [job('head', 6), job('c', 2)]))).toEqual(['head']);
  });

  it('starts the head where nothing runs, whatever the disk says at the moment', () => {
    const full = { capacity: { ...capacity, diskBytes: 0 }, maxJobs: 5 };
    const needy = { name: 'a', needs: { cores: 1, memoryBytes: 1, diskBytes: 50 } };
    expect(names(chooseJobs(full, [], [needy, { ...needy, name: 'b' }]))).toEqual(['a']);
  });
});

const jobs = fc.array(
  fc.record({
    arrival: fc.integer({ min: 0, max: 40 }),
    duration: fc.integer({ min: 1, max: 30 }),
    needs: fc.record({
      cores: fc.integer({ min: 1, max: capacity.cores }),
      memoryBytes: fc.integer({ min: 0, max: capacity.memoryBytes }),
      diskBytes: fc.integer({ min: 0, max: capacity.diskBytes }),
    }),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('a queue that is run by chooseJobs', () => {
  it('keeps to the machine, starves nobody, and lets nothing stand in the way of the head', () => {
    fc.assert(
      fc.property(jobs, fc.integer({ min: 1, max: 6 }), (given, maxJobs) => {
        const all = given
          .map((it, index) => ({ ...it, name: `job-${index}` }))
          .sort((a, b) => a.arrival - b.arrival);
        let waiting = [...all];
        let running: (PlacedJob & { readonly end: number })[] = [];
        let head: { readonly name: string; readonly startsBy: number } | undefined;
        const started = new Set<string>();
        for (let time = 0; waiting.length > 0; time += 1) {
          // Every job ends at last, so time passes and all have to be started.
          expect(time).toBeLessThan(40 + 40 * 31);
          running = running.filter(({ end }) => end > time);
          const arrived = waiting.filter(({ arrival }) => arrival <= time);
          const chosen = chooseJobs({ capacity, maxJobs }, running, arrived);
          for (const place of chosen) {
            expect(started.has(place.name)).toBe(false);
            started.add(place.name);
            const { duration = 0 } = all.find(({ name }) => name === place.name) ?? {};
            running.push({ ...place, end: time + duration });
          }
          waiting = waiting.filter(({ name }) => !started.has(name));
          const sum = running.reduce((total, { needs }) => add(total, needs), NOTHING);
          expect(fitsWithin(sum, capacity)).toBe(true);
          expect(running.length).toBeLessThanOrEqual(maxJobs);

          const first = waiting.find(({ arrival }) => arrival <= time);
          if (first === undefined) head = undefined;
          else if (head?.name === first.name) expect(time).toBeLessThan(head.startsBy);
          else {
            // From here on it waits at most for what ran before it came to the head.
            const before = running.filter(({ overtook }) => overtook !== first.name);
            head = { name: first.name, startsBy: Math.max(...before.map(({ end }) => end)) };
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
