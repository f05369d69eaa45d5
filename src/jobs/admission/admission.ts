import { forEachConcurrently } from '../../objects/for-each-concurrently.js';
import { stepsOf } from '../../service-model/techniques.js';
import type { JobNeeds, JobRecord } from '../../store/job-record.js';
import { onBehalfOf } from '../../telemetry/request-scope.js';
import { actingAsRole, type JobContext } from '../job-context.js';
import { chooseJobs, type PlacedJob } from './choose-jobs.js';
import { estimateNeeds } from './estimate-needs.js';
import { diskSpace } from './machine-capacity.js';
import { measureSource } from './measure-source.js';
import { add, NOTHING, onMachine, type Resources } from './resources.js';
import { whyNever } from './why-never.js';

/** Newly arrived jobs that are looked at in one go, and how many of them at once. */
const ARRIVALS = 200;
const LOOKS_AT_ONCE = 8;

/** How long the look at a source may take, in milliseconds; the job itself is more patient. */
const LOOK_MS = 10_000;

/** Jobs behind the head of the queue among which one that fits is looked for. */
const WINDOW = 64;

/** What is held of a job whose source could not be looked at: it fails, or not, when it runs. */
const UNKNOWN: JobNeeds = { cores: 1, memoryBytes: 0, diskBytes: 0 };

/** Decides which waiting jobs may start: estimates what each one takes, refuses what can never fit, and
 * keeps account of what the running ones have. */
export class Admission {
  private readonly placed = new Map<string, PlacedJob>();
  /** Running jobs that have more memory than was expected. */
  private readonly exceeding = new Set<string>();

  constructor(
    private readonly context: JobContext,
    private readonly maxJobs: number,
  ) {}

  /** Jobs that may be started now, in order. Whoever starts one says so with `placed`. */
  async next(): Promise<readonly { readonly job: JobRecord; readonly place: PlacedJob }[]> {
    await this.lookAtArrivals();
    const { store, capacity, workFolder } = this.context;
    const running = [...this.placed.values()];
    if (running.length >= this.maxJobs) return [];
    const jobs = await store.inStates(['STARTING'], WINDOW);
    if (jobs.length === 0) return [];
    const { free } = await diskSpace(workFolder);
    const machine = { capacity: { ...capacity, diskBytes: free }, maxJobs: this.maxJobs };
    // What fits another node only, as the configuration has it, is left to that one.
    const waiting = jobs
      .map((job) => this.waiting(job))
      .filter(({ needs }) => needs.memoryBytes <= capacity.memoryBytes);
    const byName = new Map(jobs.map((job) => [job.name, job]));
    return chooseJobs(machine, running, waiting).flatMap((place) => {
      const job = byName.get(place.name);
      return job === undefined ? [] : [{ job, place }];
    });
  }

  /** What running jobs have. */
  get given(): Resources {
    return [...this.placed.values()].reduce((sum, { needs }) => add(sum, needs), NOTHING);
  }

  /** Takes note that a job runs: one that was chosen, or one that an earlier process left running. */
  place(job: JobRecord, place: PlacedJob = { ...this.waiting(job), overtook: undefined }): void {
    this.placed.set(job.name, place);
  }

  /**
   * Takes note of what a running job really takes of memory. Where that is more than was expected of it,
   * it counts from then on, so that no further job is started into memory that is not there.
   */
  measured(name: string, memoryBytes: number): void {
    const place = this.placed.get(name);
    if (place === undefined || memoryBytes <= place.needs.memoryBytes) return;
    this.placed.set(name, { ...place, needs: { ...place.needs, memoryBytes } });
    if (this.exceeding.has(name)) return;
    this.exceeding.add(name);
    const expected = place.needs.memoryBytes;
    this.context.logger.warn(
      { job: name, memoryBytes, expected },
      'a job takes more than expected',
    );
  }

  /** Takes note that a job runs no more. */
  release(name: string): void {
    this.placed.delete(name);
    this.exceeding.delete(name);
  }

  private waiting(job: JobRecord) {
    const { name, needs = UNKNOWN } = job;
    const own = this.runsElsewhere(job)
      ? { ...NOTHING, diskBytes: needs.diskBytes }
      : onMachine(needs, this.context.capacity);
    return { name, needs: own };
  }

  /** Whether all steps of a job run on other machines: then only its files are on this one. */
  private runsElsewhere({ request }: JobRecord): boolean {
    const { executor } = this.context;
    return stepsOf(request).every(({ image }) => executor.runsElsewhere?.({ image }) ?? false);
  }

  private async lookAtArrivals(): Promise<void> {
    const arrivals = await this.context.store.withoutNeeds(ARRIVALS);
    await forEachConcurrently(arrivals, LOOKS_AT_ONCE, (job) =>
      onBehalfOf(job.requestId, () => this.lookAt(job)),
    );
  }

  private async lookAt(job: JobRecord): Promise<void> {
    const { store, logger, workFolder, capacity } = this.context;
    const needs = await this.estimate(job);
    const memoryBytes = this.runsElsewhere(job)
      ? Number.POSITIVE_INFINITY
      : Math.max(capacity.memoryBytes, capacity.largestNodeBytes ?? 0);
    const diskBytes = (await diskSpace(workFolder)).whole;
    const never = whyNever(needs, { ...capacity, memoryBytes, diskBytes });
    if (never === undefined) {
      await store.setNeeds(job.name, needs);
      return;
    }
    const at = Date.now();
    await store.transition(job.name, ['STARTING'], 'FAILED', {
      at,
      ended: true,
      failureReason: never,
    });
    logger.info({ job: job.name, needs, capacity }, 'a job can never fit');
  }

  private async estimate(job: JobRecord): Promise<JobNeeds> {
    const { locate, copiesSources, capacity, executor, logger, workFolder } = this.context;
    const uri = job.request.ModelSource.S3?.S3Uri;
    if (uri === undefined) return UNKNOWN;
    try {
      const { objects } = await actingAsRole(this.context, job);
      const source = await measureSource(objects, locate(uri), AbortSignal.timeout(LOOK_MS));
      const needs = estimateNeeds(source, stepsOf(job.request), {
        copiesSources,
        roomBytes: Math.max(capacity.memoryBytes, capacity.largestNodeBytes ?? 0),
        diskBytes: (await diskSpace(workFolder)).whole,
      });
      // Where steps take models from the object store, none of them comes to this machine.
      return executor.objects === undefined ? needs : { ...needs, diskBytes: 0 };
    } catch (error) {
      logger.warn({ err: error, job: job.name }, 'the source could not be looked at');
      return UNKNOWN;
    }
  }
}
