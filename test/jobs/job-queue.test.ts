import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Executor } from '#burnish/executors/executor.js';
import { createLocalProcessExecutor } from '#burnish/executors/local-process/local-process-executor.js';
import { DEFAULT_TERMS_FILES } from '#burnish/executors/staging/license-terms.js';
import type { JobContext } from '#burnish/jobs/job-context.js';
import { JobQueue } from '#burnish/jobs/job-queue.js';
import { KeptLayers } from '#burnish/jobs/kept-layers.js';
import { NodeLeases } from '#burnish/jobs/leases/node-leases.js';
import { stepPlace } from '#burnish/jobs/step-place.js';
import { queueLimit } from '#burnish/jobs/time-limits.js';
import { parseS3Uri } from '#burnish/objects/s3-uri.js';
import type { JsonValue } from '#burnish/service-model/read-value.js';
import type { JobRecord, JobRequest } from '#burnish/store/job-record.js';
import type { JobStore } from '#burnish/store/job-store.js';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';
import { JobLogs } from '#burnish/telemetry/job-log.js';
import { createLogger } from '#burnish/telemetry/logger.js';
import { createMetrics } from '#burnish/telemetry/metrics.js';
import { anyRole } from '../support/access.js';
import { createRequest } from '../support/create-request.js';
import { folderStore } from '../support/folder-store.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROGRAM = fileURLToPath(new URL('../support/step-program.mjs', import.meta.url));

let folder: string;
let store: JobStore;
let queue: JobQueue;
let context: JobContext;

beforeEach(async () => {
  folder = temporaryFolder('jobs');
  await mkdir(join(folder, 'work'));
  await mkdir(join(folder, 'buckets', 'models', 'source'), { recursive: true });
  await writeFile(join(folder, 'buckets', 'models', 'source', 'config.json'), '{}');
  store = await openSqliteStore(join(folder, 'jobs.db'));
  const logger = createLogger('silent');
  const objects = folderStore(join(folder, 'buckets'));
  context = {
    store,
    leases: new NodeLeases({ node: 'n', durationMs: undefined }, 'here', { store, logger }),
    objects,
    roles: anyRole(objects),
    locate: parseS3Uri,
    executor: createLocalProcessExecutor(PROGRAM),
    logs: new JobLogs(join(folder, 'logs')),
    logger,
    metrics: createMetrics(() => store.countByState()),
    workFolder: join(folder, 'work'),
    kept: new KeptLayers(join(folder, 'checkpoints')),
    capacity: { cores: 2, memoryBytes: 4e9 },
    copiesSources: false,
    graceMs: 60_000,
    termsFiles: DEFAULT_TERMS_FILES,
    silenceMs: 60_000,
  };
  queue = new JobQueue(context, 2);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await queue.close();
  for (const job of await store.inStates(['INPROGRESS', 'STOPPING'], 100)) {
    for (const index of job.request.OptimizationConfigs.keys()) {
      await context.executor.reap(stepPlace(context, job, index));
    }
  }
  await store.close();
});

async function create(name: string, change: Record<string, JsonValue> = {}): Promise<void> {
  const request = createRequest({
    OptimizationJobName: name,
    OutputConfig: { S3OutputLocation: `s3://models/${name}` },
    ...change,
  });
  const createdAt = Date.now();
  await store.create({
    name,
    arn: `arn:aws:sagemaker:us-east-1:000000000000:optimization-job/${name}`,
    request: request as unknown as JobRequest,
    optimizationTypes: ['Quantization'],
    tags: [],
    createdAt,
    queueDeadline: queueLimit({ request: request as unknown as JobRequest, createdAt })?.at,
  });
  queue.notify();
}

const acting = (act: string, more: Record<string, string> = {}) => ({
  OptimizationEnvironment: { OPTION_ACT: act, ...more },
});

/** A step that succeeds, but not before it is told to. */
const actingUntilTold = () => acting('succeed-when-told', { OPTION_GO_FILE: goFile() });
const goFile = () => join(folder, 'go');
const tell = () => writeFile(goFile(), '');

/**
 * Starts the queue anew when so much more time has passed. The clock goes on instead of the test: how
 * long a program takes to start can't be counted on.
 */
async function restartAfter(seconds: number): Promise<void> {
  await queue.close();
  const now = Date.now;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1000);
  queue = new JobQueue(context, 2);
  await queue.start();
}

async function until(name: string, wanted: (job: JobRecord) => boolean): Promise<JobRecord> {
  for (;;) {
    const job = await store.get(name);
    if (job !== undefined && wanted(job)) return job;
    await delay(10);
  }
}

const ended = (job: JobRecord) => ['COMPLETED', 'FAILED', 'STOPPED'].includes(job.status);
const running = (job: JobRecord) => job.execution?.handle !== undefined;
const published = (name: string) => join(folder, 'buckets', 'models', name);
const logOf = (name: string) => readFile(join(folder, 'logs', name, '1-quantization.log'), 'utf8');

/** Waits until the step's program is up and has set its signal handlers. */
async function untilActing(name: string): Promise<{ readonly pid: number }> {
  const job = await until(name, running);
  while (!(await logOf(name)).includes('acting')) await delay(10);
  return { pid: pidOf(job) };
}

function pidOf(job: JobRecord): number {
  const handle = job.execution?.handle as { readonly pid: number } | undefined;
  return handle?.pid ?? Number.NaN;
}

/** Until a process is gone; one that was killed is a zombie until this process has taken note of it. */
async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await delay(10);
  }
}

async function states(name: string): Promise<string[]> {
  return (await store.history(name)).map((event) => event.status);
}

describe('JobQueue', () => {
  it('runs a job from STARTING to COMPLETED and publishes its result', async () => {
    await queue.start();
    await create('a');
    const job = await until('a', ended);
    expect(job.failureReason).toBeUndefined();
    expect(await states('a')).toEqual(['STARTING', 'INPROGRESS', 'COMPLETED']);
    expect(job.startedAt).toBeGreaterThanOrEqual(job.createdAt);
    expect(job.endedAt).toBeGreaterThanOrEqual(job.startedAt ?? Number.NaN);
    expect(await readdir(published('a'))).toContain('optimization-report.json');
    expect(await readdir(context.workFolder)).toEqual([]);
    expect(await logOf('a')).toContain('acting: succeed');
  });

  it('runs the steps in order, each on the result of the one before', async () => {
    await queue.start();
    await create('steps', {
      OptimizationEnvironment: { OPTION_A: 'job', OPTION_B: 'job' },
      OptimizationConfigs: [
        { ModelQuantizationConfig: { OverrideEnvironment: { OPTION_B: 'step' } } },
        { ModelShardingConfig: {} },
      ],
    });
    await until('steps', ended);
    const trace = JSON.parse(await readFile(join(published('steps'), 'trace.json'), 'utf8'));
    expect(trace).toMatchObject([
      { technique: 'quantization', environment: { OPTION_A: 'job', OPTION_B: 'step' } },
      { technique: 'sharding', environment: { OPTION_A: 'job', OPTION_B: 'job' } },
    ]);
  });

  it('gives the settings to the program as data, and nothing of the service', async () => {
    process.env.BURNISH_TEST_SECRET = 'secret';
    await queue.start();
    await create('env', acting('succeed', { NODE_OPTIONS: '--require /nowhere.js' }));
    expect((await until('env', ended)).status).toBe('COMPLETED');
    const [trace] = JSON.parse(await readFile(join(published('env'), 'trace.json'), 'utf8'));
    expect(trace.seen).toContain('SM_NEO_EXECUTION_CONTEXT');
    expect(trace.seen).not.toContain('NODE_OPTIONS');
    expect(trace.seen).not.toContain('BURNISH_TEST_SECRET');
    delete process.env.BURNISH_TEST_SECRET;
  });

  it.each([
    ['fail', 'the tensor x is broken'],
    ['fail-silently', 'exit status 3'],
    ['be-killed', 'SIGKILL'],
  ])('a program that does %s makes the job FAILED with the reason', async (act, reason) => {
    await queue.start();
    await create('a', acting(act));
    const job = await until('a', ended);
    expect(job.status).toBe('FAILED');
    expect(job.failureReason).toContain(reason);
    expect(await readdir(published('a')).catch(() => 'absent')).toBe('absent');
    expect(await readdir(context.workFolder)).toEqual([]);
  });

  it('never touches what is at the output location', async () => {
    await mkdir(published('a'));
    await writeFile(join(published('a'), 'precious'), 'yes');
    await queue.start();
    await create('a');
    const job = await until('a', ended);
    expect(job.status).toBe('FAILED');
    expect(job.failureReason).toContain('s3://models/a already holds objects');
    expect(await readdir(published('a'))).toEqual(['precious']);
  });

  it('asks for the license to be accepted where the source carries one', async () => {
    await mkdir(join(folder, 'buckets', 'models', 'source', 'terms'));
    await writeFile(join(folder, 'buckets', 'models', 'source', 'terms', 'modelEula.txt'), '…');
    await queue.start();
    await create('refused');
    const job = await until('refused', ended);
    expect(job.status).toBe('FAILED');
    expect(job.failureReason).toMatch(/modelEula\.txt.*AcceptEula/);
    await create('accepted', {
      ModelSource: {
        S3: { S3Uri: 's3://models/source', ModelAccessConfig: { AcceptEula: true } },
      },
    });
    expect((await until('accepted', ended)).status).toBe('COMPLETED');
  });

  it('stops a queued job at once and a running one with SIGTERM', async () => {
    await queue.start();
    for (const name of ['a', 'b', 'c']) await create(name, acting('wait-for-term'));
    await untilActing('a');
    expect(await queue.stop('c')).toBe(true);
    expect((await store.get('c'))?.status).toBe('STOPPED');
    expect((await store.get('c'))?.startedAt).toBeUndefined();

    expect(await queue.stop('a')).toBe(true);
    const job = await until('a', ended);
    expect(await states('a')).toEqual(['STARTING', 'INPROGRESS', 'STOPPING', 'STOPPED']);
    expect(job.failureReason).toBeUndefined();
    expect(await logOf('a')).toContain('terminated politely');
    expect(await queue.stop('a')).toBe(false);
    expect((await store.get('b'))?.status).toBe('INPROGRESS');
  });

  it('kills a step that does not end in its time', async () => {
    queue = new JobQueue({ ...context, graceMs: 2_000 }, 2);
    await queue.start();
    await create('a', acting('ignore-term'));
    const { pid } = await untilActing('a');
    await queue.stop('a');
    expect((await until('a', ended)).status).toBe('STOPPED');
    expect(await logOf('a')).toContain('ignored');
    await untilGone(pid);
  });

  it('stops a job that runs longer than it may, and says so', async () => {
    await queue.start();
    await create('a', {
      ...acting('wait-for-term'),
      StoppingCondition: { MaxRuntimeInSeconds: 1 },
    });
    const job = await until('a', ended);
    expect(job.status).toBe('STOPPED');
    expect(job.failureReason).toContain('MaxRuntimeInSeconds (1 seconds)');
  });

  it('fails a compilation that takes longer than it may, with TimeOut', async () => {
    await queue.start();
    await create('a', {
      ...acting('wait-for-term'),
      OptimizationConfigs: [{ ModelCompilationConfig: {} }],
      StoppingCondition: { MaxRuntimeInSeconds: 60 },
    });
    await until('a', running);
    await restartAfter(60);
    const job = await until('a', ended);
    expect(job.status).toBe('FAILED');
    expect(job.failureReason).toMatch(/^TimeOut: .*MaxRuntimeInSeconds \(60 seconds\)/);
  });

  it('ends jobs that waited longer than they may, also over a restart', async () => {
    await queue.start();
    for (const name of ['a', 'b']) await create(name, acting('wait-for-term'));
    await create('pending', { StoppingCondition: { MaxPendingTimeInSeconds: 1 } });
    await create('patient', { StoppingCondition: { MaxPendingTimeInSeconds: 7200 } });
    const job = await until('pending', ended);
    expect(job.status).toBe('STOPPED');
    expect(job.failureReason).toContain('MaxPendingTimeInSeconds (1 seconds)');
    expect(job.startedAt).toBeUndefined();
    expect((await store.get('patient'))?.status).toBe('STARTING');

    await queue.close();
    await create('while-down', { StoppingCondition: { MaxPendingTimeInSeconds: 0 } });
    queue = new JobQueue(context, 2);
    await queue.start();
    expect((await until('while-down', ended)).status).toBe('STOPPED');
  });

  it('counts waiting and running together towards MaxWaitTimeInSeconds', async () => {
    await queue.start();
    await create('a', {
      ...acting('wait-for-term'),
      StoppingCondition: { MaxWaitTimeInSeconds: 60 },
    });
    await until('a', running);
    await restartAfter(60);
    const job = await until('a', ended);
    expect(job.status).toBe('STOPPED');
    expect(job.startedAt).toBeDefined();
    expect(job.failureReason).toContain('MaxWaitTimeInSeconds');
  });

  it('runs no more jobs at once than it may, first come, first served', async () => {
    await queue.start();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) await create(name, actingUntilTold());
    await until('a', running);
    await until('b', running);
    await until('d', (waiting) => waiting.needs !== undefined);
    for (const name of ['c', 'd']) expect((await store.get(name))?.status).toBe('STARTING');
    await tell();
    let most = 0;
    for (;;) {
      const jobs = await Promise.all(names.map((name) => store.get(name)));
      most = Math.max(most, jobs.filter((job) => job?.status === 'INPROGRESS').length);
      if (jobs.every((job) => job?.status === 'COMPLETED')) break;
      await delay(10);
    }
    expect(most).toBeLessThanOrEqual(2);
    const starts = await Promise.all(names.map(async (name) => (await store.get(name))?.startedAt));
    expect(starts).toEqual([...starts].sort((a, b) => (a ?? 0) - (b ?? 0)));
  });

  it('fails a job that can never fit at once, with the numbers, wherever it is in the queue', async () => {
    const big = join(folder, 'buckets', 'models', 'big');
    await mkdir(big);
    const sizes = { hidden_size: 65_536, intermediate_size: 65_536, num_attention_heads: 64 };
    await writeFile(join(big, 'config.json'), JSON.stringify(sizes));
    await queue.start();
    for (const name of ['a', 'b', 'c']) await create(name, acting('wait-for-term'));
    await create('big', { ModelSource: { S3: { S3Uri: 's3://models/big' } } });
    const job = await until('big', ended);
    expect(job.status).toBe('FAILED');
    expect(job.failureReason).toMatch(/needs about [\d.]+ GB of memory.* may take 4\.000 GB/);
    expect(job.startedAt).toBeUndefined();
    expect((await store.get('c'))?.status).toBe('STARTING');
    // Jobs are estimated side by side, so this one's may come later.
    const estimated = await until('c', (waiting) => waiting.needs !== undefined);
    expect(estimated.needs?.cores).toBe(1);
  });

  it('runs no more at once than there are cores, and says to each step how many it has', async () => {
    queue = new JobQueue({ ...context, capacity: { cores: 1, memoryBytes: 4e9 } }, 10);
    await queue.start();
    await create('a', acting('wait-for-term'));
    await create('b');
    await untilActing('a');
    expect((await store.get('b'))?.status).toBe('STARTING');
    await queue.stop('a');
    expect((await until('b', ended)).status).toBe('COMPLETED');
    const [trace] = JSON.parse(await readFile(join(published('b'), 'trace.json'), 'utf8'));
    expect(trace.threads).toBe('1');
  });

  it('leaves running steps alone when the service goes down, and adopts them', async () => {
    await queue.start();
    await create('adopted', actingUntilTold());
    const before = await until('adopted', running);
    const { pid } = await untilActing('adopted');
    await queue.close();
    expect((await store.get('adopted'))?.status).toBe('INPROGRESS');
    expect(() => process.kill(pid, 0)).not.toThrow();
    await mkdir(join(context.workFolder, 'stray'));

    queue = new JobQueue(context, 2);
    await queue.start();
    expect(await readdir(context.workFolder)).not.toContain('stray');
    await tell();
    const after = await until('adopted', ended);
    expect(after.status).toBe('COMPLETED');
    expect(after.startedAt).toBe(before.startedAt);
    const log = await logOf('adopted');
    expect(log.match(/acting/g)).toHaveLength(1);
  });

  it('waits for running jobs, and starts none, when it is to let them finish', async () => {
    queue = new JobQueue(context, 1);
    await queue.start();
    await create('a', actingUntilTold());
    await create('b');
    await untilActing('a');
    const finished = queue.close('finish');
    await tell();
    await finished;
    expect((await store.get('a'))?.status).toBe('COMPLETED');
    expect((await store.get('b'))?.status).toBe('STARTING');
    expect(queue.isOpen).toBe(false);
  });

  it('leaves running jobs after all when it is told to while it waits for them', async () => {
    await queue.start();
    await create('a', acting('wait-for-term'));
    const { pid } = await untilActing('a');
    const finished = queue.close('finish');
    await delay(50);
    await queue.close('leave');
    await finished;
    expect((await store.get('a'))?.status).toBe('INPROGRESS');
    expect(() => process.kill(pid, 0)).not.toThrow();
  });

  it('ends the steps when it is to stop them, and begins them again at the next start', async () => {
    await queue.start();
    await create('a', acting('wait-for-term'));
    const { pid } = await untilActing('a');
    await queue.close('stop');
    await untilGone(pid);
    const between = await store.get('a');
    expect(between?.status).toBe('INPROGRESS');
    expect(between?.execution).toEqual({ step: 0 });
    queue = new JobQueue(context, 2);
    await queue.start();
    const again = await until('a', running);
    expect(again.startedAt).toBe(between?.startedAt);
    while ((await logOf('a')).match(/acting/g)?.length !== 2) await delay(10);
  });

  it('keeps the last that a step said of itself', async () => {
    await queue.start();
    await tell();
    await create('a', actingUntilTold());
    const { progress } = await until('a', ended);
    expect(progress).toMatchObject({ step: 0, event: { phase: expect.any(String) } });
  });

  it('takes the result of a step that ended while the service was down', async () => {
    await queue.start();
    await create('a', actingUntilTold());
    const { pid } = await untilActing('a');
    await queue.close();
    await tell();
    await untilGone(pid);
    queue = new JobQueue(context, 2);
    await queue.start();
    expect((await until('a', ended)).status).toBe('COMPLETED');
    expect((await logOf('a')).match(/acting/g)).toHaveLength(1);
  });

  it('starts a step again that was killed with the service', async () => {
    await queue.start();
    await create('a', actingUntilTold());
    const { pid } = await untilActing('a');
    await queue.close();
    process.kill(-pid, 'SIGKILL');
    await untilGone(pid);
    await tell();
    queue = new JobQueue(context, 2);
    await queue.start();
    expect((await until('a', ended)).status).toBe('COMPLETED');
    expect((await logOf('a')).match(/acting/g)).toHaveLength(2);
  });

  it.each([
    [2, 'COMPLETED'],
    [4, 'FAILED'],
  ])('begins a step again that lost its place, %i times to end %s', async (losses, status) => {
    const { executor } = context;
    let starts = 0;
    const lost = { code: undefined, signal: undefined, reason: 'The node n1 died.' };
    const start: Executor['start'] = async (request, signal) => {
      starts += 1;
      if (starts > losses) return executor.start(request, signal);
      const exit = Promise.resolve({ ...lost, displaced: true as const });
      return { handle: {}, exit, signal: () => undefined, leave: () => undefined };
    };
    queue = new JobQueue({ ...context, executor: { ...executor, start } }, 2);
    await queue.start();
    await create('a');
    const job = await until('a', ended);
    expect(job.status).toBe(status);
    expect(await logOf('a')).toContain('The node n1 died. The step begins again.');
    if (status === 'FAILED') expect(job.failureReason).toBe('The node n1 died.');
  });

  it('ends a process that nobody took note of before it starts the step again', async () => {
    await queue.start();
    await create('a', acting('ignore-term'));
    const { pid } = await untilActing('a');
    await queue.close();
    // As if the service had died between starting the step and noting it.
    await store.setExecution({ name: 'a', lease: (await store.get('a'))?.lease }, { step: 0 });
    queue = new JobQueue(context, 2);
    await queue.start();
    const again = await until('a', running);
    expect(again.execution?.handle).not.toMatchObject({ pid });
    await untilGone(pid);
  });

  it('ends what was being stopped when the service died', async () => {
    await queue.start();
    await create('orphan', acting('ignore-term'));
    const { pid } = await untilActing('orphan');
    await queue.close();
    await store.transition('orphan', ['INPROGRESS'], 'STOPPING', { at: Date.now() });
    queue = new JobQueue(context, 2);
    await queue.start();
    expect((await store.get('orphan'))?.status).toBe('STOPPED');
    await untilGone(pid);
  });

  it('goes on with the second step, not with the first, after a restart', async () => {
    await queue.start();
    await create('two', {
      ...acting('succeed'),
      OptimizationConfigs: [
        { ModelQuantizationConfig: {} },
        {
          ModelCompilationConfig: {
            OverrideEnvironment: actingUntilTold().OptimizationEnvironment,
          },
        },
      ],
    });
    const second = await until('two', (job) => job.execution?.step === 1);
    await queue.close();
    const pid = pidOf(second);
    process.kill(-pid, 'SIGKILL');
    await untilGone(pid);
    await tell();
    queue = new JobQueue(context, 2);
    await queue.start();
    expect((await until('two', ended)).failureReason).toBeUndefined();
    expect((await logOf('two')).match(/acting/g)).toHaveLength(1);
    const trace = JSON.parse(await readFile(join(published('two'), 'trace.json'), 'utf8'));
    expect(trace).toHaveLength(2);
  });

  it('ends a step that gives no sign of life', async () => {
    queue = new JobQueue({ ...context, silenceMs: 3_000 }, 2);
    await queue.start();
    await create('a', acting('ignore-term'));
    const job = await until('a', ended);
    expect(job.status).toBe('FAILED');
    expect(job.failureReason).toMatch(/no sign of life for 3 seconds.*acting: ignore-term/);
  });

  it('fails a job whose source was changed under it', async () => {
    await queue.start();
    await create('a', actingUntilTold());
    await untilActing('a');
    await writeFile(join(folder, 'buckets', 'models', 'source', 'late.txt'), 'new');
    await tell();
    const job = await until('a', ended);
    expect(job.status).toBe('FAILED');
    expect(job.failureReason).toContain('late.txt');
  });

  it('completes a job whose result was published before the service died', async () => {
    await create('a');
    const earlier = { node: 'earlier', durationMs: undefined };
    const lease = (await store.leases.takeWaiting('a', earlier, { at: Date.now(), started: true }))
      ?.lease;
    await mkdir(published('a'));
    const report = '{"steps":0}';
    await writeFile(join(published('a'), 'optimization-report.json'), report);
    const digest = Buffer.from(
      await crypto.subtle.digest('SHA-256', new TextEncoder().encode(report)),
    ).toString('hex');
    await store.setExecution({ name: 'a', lease }, { step: 0, publishing: digest });
    await queue.start();
    expect((await until('a', ended)).status).toBe('COMPLETED');
  });
});

describe('what a job has finished', () => {
  const partial = (name: string) => join(published(name), 'partial', name);
  const kept = (name: string) => join(folder, 'checkpoints', name, 'step-1');

  async function report(name: string) {
    return JSON.parse(await readFile(join(partial(name), 'optimization-report.json'), 'utf8'));
  }

  it('is published and kept when it is stopped', async () => {
    await queue.start();
    await create('a', acting('save-then-go-on'));
    await untilActing('a');
    await queue.stop('a');
    expect((await until('a', ended)).status).toBe('STOPPED');
    expect(await report('a')).toEqual({ complete: false });
    expect(await readdir(published('a'))).toEqual(['partial']);
    expect(await readdir(kept('a'))).toEqual(['own']);
    expect(await readdir(context.workFolder)).toEqual([]);
    expect(await logOf('a')).toContain(
      'what is finished was published to s3://models/a/partial/a/',
    );
  });

  it('is published and kept when its time is over, also while the service is down', async () => {
    await queue.start();
    const stopping = { StoppingCondition: { MaxRuntimeInSeconds: 60 } };
    await create('a', { ...acting('save-then-go-on'), ...stopping });
    await untilActing('a');
    await restartAfter(60);
    const job = await until('a', ended);
    expect(job.failureReason).toContain('MaxRuntimeInSeconds');
    expect(await report('a')).toEqual({ complete: false });
    expect(await readdir(kept('a'))).toEqual(['own']);
  });

  it('is published and kept when the service is killed meanwhile', async () => {
    await queue.start();
    await create('a', acting('save-then-go-on'));
    const { pid } = await untilActing('a');
    await queue.close();
    process.kill(pid, 'SIGTERM');
    await untilGone(pid);
    await store.transition('a', ['INPROGRESS'], 'STOPPING', { at: Date.now() });
    queue = new JobQueue(context, 2);
    await queue.start();
    expect((await until('a', ended)).status).toBe('STOPPED');
    expect(await report('a')).toEqual({ complete: false });
    expect(await readdir(kept('a'))).toEqual(['own']);
  });

  it('is gone on from by a job that names it', async () => {
    await queue.start();
    await create('a', acting('save-then-go-on'));
    await untilActing('a');
    await queue.stop('a');
    await until('a', ended);
    // The stand-in looks for layers of its own; what is offered it does not take up.
    const go = { OPTION_RESUME_FROM: 'a' };
    await create('b', acting('fail', go));
    await until('b', ended);
    expect(await readdir(kept('a'))).toEqual(['own']);
    await create('c', acting('succeed', go));
    expect((await until('c', ended)).status).toBe('COMPLETED');
    await expect(readdir(kept('a'))).rejects.toThrow('ENOENT');
    const [trace] = JSON.parse(await readFile(join(published('c'), 'trace.json'), 'utf8'));
    expect(trace.environment).toEqual({ OPTION_ACT: 'succeed' });
    await create('d', acting('succeed', go));
    expect((await until('d', ended)).failureReason).toContain('Nothing is kept of the job a');
  });

  it('lets the step go on that was told to end while the service was down', async () => {
    await queue.start();
    await create('a', acting('save-then-go-on'));
    const { pid } = await untilActing('a');
    await queue.close();
    process.kill(pid, 'SIGTERM');
    await untilGone(pid);
    queue = new JobQueue(context, 2);
    await queue.start();
    const job = await until('a', ended);
    expect(job.failureReason).toBeUndefined();
    expect(job.status).toBe('COMPLETED');
    expect(await readdir(join(folder, 'checkpoints')).catch(() => [])).toEqual([]);
  });
});
