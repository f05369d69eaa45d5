import { add, fitsWithin, NOTHING, type Resources } from './resources.js';

/** A job that waits, with what it takes. */
export interface WaitingJob {
  readonly name: string;
  readonly needs: Resources;
}

/** A job that runs, or is about to. */
export interface PlacedJob extends WaitingJob {
  /** The job at the head of the queue that it was started past; undefined where it waited its turn. */
  readonly overtook: string | undefined;
}

export interface Machine {
  readonly capacity: Resources;
  /** The most jobs that run at once. */
  readonly maxJobs: number;
}

/**
 * Chooses which waiting jobs to start now.
 *
 * First come, first served: as long as the job at the head of the queue fits, it is started. Where it
 * does not, later ones may be started in its place, but only within what the head leaves over: the head
 * and all that was started past it must fit on the machine together. So nothing that overtakes a job
 * ever stands in its way, however long it runs; the head waits for those alone that ran when it came to
 * the head. That needs no guess of how long jobs take.
 *
 * A head fits any machine on which nothing runs: what can never fit was refused before it.
 *
 * @param waiting oldest first
 * @returns the jobs to start, in order
 */
export function chooseJobs(
  machine: Machine,
  running: readonly PlacedJob[],
  waiting: readonly WaitingJob[],
): readonly PlacedJob[] {
  const { capacity, maxJobs } = machine;
  const started: PlacedJob[] = [];
  const taken = { jobs: running.length, resources: total(running) };
  const start = (job: WaitingJob, overtook: string | undefined) => {
    started.push({ ...job, overtook });
    taken.jobs += 1;
    taken.resources = add(taken.resources, job.needs);
  };
  const fits = ({ needs }: WaitingJob) =>
    taken.jobs < maxJobs && fitsWithin(add(taken.resources, needs), capacity);

  let at = 0;
  for (; at < waiting.length; at += 1) {
    const job = waiting[at];
    if (job === undefined || !(taken.jobs === 0 || fits(job))) break;
    start(job, undefined);
  }
  const head = waiting[at];
  if (head === undefined) return started;
  const past = running.filter(({ overtook }) => overtook === head.name);
  let besideHead = { jobs: 1 + past.length, resources: add(head.needs, total(past)) };
  for (const job of waiting.slice(at + 1)) {
    const withHead = add(besideHead.resources, job.needs);
    if (!fits(job) || besideHead.jobs >= maxJobs || !fitsWithin(withHead, capacity)) continue;
    start(job, head.name);
    besideHead = { jobs: besideHead.jobs + 1, resources: withHead };
  }
  return started;
}

function total(jobs: readonly WaitingJob[]): Resources {
  return jobs.reduce((sum, { needs }) => add(sum, needs), NOTHING);
}
