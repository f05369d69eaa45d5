import { existsSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Executor, RunningStep, StepRequest } from '#burnish/executors/executor.js';
import { createStepFolders, type StepFolders } from '#burnish/executors/step-folders.js';
import { followStep } from '#burnish/jobs/follow-step.js';
import { Interruption } from '#burnish/jobs/interruption.js';
import type { EnvironmentMap } from '#burnish/service-model/techniques.js';
import { stepRequest } from '../../support/step-request.js';

/** An executor, and what the suite has to know of the place where it runs steps. */
export interface ConformanceSubject {
  /** An empty folder that the executor's steps can see. */
  readonly folder: string;
  /** Makes the executor anew, as every start of the service does. */
  create(): Executor;
  /** What the steps ask for to get the stand-in program; undefined where it takes the optimizer's place. */
  readonly image?: string;
  /** Whether the caller's settings are variables of the program's environment, or data. */
  readonly settings: 'environment' | 'data';
  /** Puts a step's model where its executor looks for it, where that is not the step's folder. */
  ready?(request: StepRequest): Promise<StepRequest>;
  /** A step's folders as they are where it runs, where those are others; undefined while it does not. */
  foldersOf?(request: StepRequest): Promise<StepFolders | undefined>;
  /** A folder with what a step has made, where that is not in its folders. */
  resultOf?(request: StepRequest): Promise<string>;
  /** Whether a step is kept from writing to its input. */
  readonly protectsInput: boolean;
}

/** How long a step that is asked to end gets, in milliseconds. */
const GRACE_MS = 1_500;
/** What steps must never see of the service. */
const SECRET = 'BURNISH_TEST_SECRET';

/**
 * What the jobs room relies on, whatever runs its steps: every executor passes this suite as it is,
 * with the same stand-in program (`test/support/step-program.mjs`).
 */
export function describeExecutor(name: string, prepare: () => Promise<ConformanceSubject>): void {
  describe(`${name} as an executor`, () => {
    let subject: ConformanceSubject;
    let executor: Executor;
    let count = 0;
    let request: StepRequest;

    beforeAll(async () => {
      subject = await prepare();
      process.env[SECRET] = 'secret';
    });

    afterAll(() => {
      delete process.env[SECRET];
    });

    beforeEach(async () => {
      executor = subject.create();
      count += 1;
      const job = `conformance-${count}`;
      const { folder, image } = subject;
      request = await stepRequest(folder, job, { image, graceMs: GRACE_MS });
      request = (await subject.ready?.(request)) ?? request;
    });

    afterEach(async () => {
      await executor.reap(request);
      await rm(join(subject.folder, request.job), { recursive: true, force: true });
      // Another executor's suite may use the same folder and names.
      await rm(dirname(request.logFile), { recursive: true, force: true });
    });

    const asking = (act: string, more: EnvironmentMap = {}): StepRequest => ({
      ...request,
      environment: { OPTION_ACT: act, ...more },
    });

    const start = (act: string, more?: EnvironmentMap): Promise<RunningStep> =>
      executor.start(asking(act, more), new AbortController().signal);

    const follow = (running: RunningStep, signal = new AbortController().signal): Promise<void> =>
      followStep(running, request, { signal, graceMs: GRACE_MS, silenceMs: undefined });

    /** Another process of the service takes over, with nothing but what the record holds. */
    const adopt = (running: RunningStep): Promise<RunningStep | undefined> =>
      subject.create().adopt(JSON.parse(JSON.stringify(running.handle)), request);

    const log = () => readFile(request.logFile, 'utf8').catch(() => '');
    const folders = async () =>
      subject.foldersOf === undefined ? request.folders : subject.foldersOf(request);
    const result = async () => (await subject.resultOf?.(request)) ?? request.folders.output;
    const beats = async () =>
      stat(join((await folders())?.output ?? '', 'beats')).then(
        ({ size }) => size,
        () => 0,
      );

    async function untilLogHas(text: string): Promise<void> {
      while (!(await log()).includes(text)) await delay(20);
    }

    /** Waits until the program's child beats, so that its signal handlers are in place too. */
    async function untilBeating(): Promise<void> {
      while ((await beats()) < 2) await delay(20);
    }

    async function expectNoBeat(): Promise<void> {
      const before = await beats();
      await delay(400);
      expect(await beats()).toBe(before);
    }

    it('takes a step that it can run', async () => {
      const demand = { technique: request.technique, image: request.image, network: undefined };
      expect(await executor.refusal({ ...demand, instanceType: 'ml.g5.xlarge' })).toBeUndefined();
    });

    it('runs a step to its success', async () => {
      const running = await start('succeed');
      await follow(running);
      expect(await running.exit).toMatchObject({ code: 0 });
      const report = join(request.folders.output, 'optimization-report.json');
      expect(JSON.parse(await readFile(report, 'utf8'))).toEqual({ steps: 0 });
      expect(await log()).toContain('acting: succeed');
    });

    it('reports the reason of a failure', async () => {
      await expect(follow(await start('fail'))).rejects.toThrow('the tensor x is broken');
    });

    it('reports the exit status and the last lines of a program that leaves no reason', async () => {
      await expect(follow(await start('fail-silently'))).rejects.toThrow(
        /exit status 3 .*acting: fail-silently/,
      );
    });

    it('reports a program that crashes', async () => {
      await expect(follow(await start('crash'))).rejects.toThrow(/SIGABRT|SIGTRAP|SIGILL|SIGSEGV/);
    });

    it('asks a step to end with SIGTERM', async () => {
      const running = await start('wait-for-term');
      await untilLogHas('acting');
      const stopping = AbortSignal.abort(new Interruption('stop-requested'));
      await expect(follow(running, stopping)).rejects.toThrow('stop-requested');
      expect(await log()).toContain('terminated politely');
    });

    it('kills all of a step that does not end when it is asked', async () => {
      const running = await start('beat-with-child');
      await untilBeating();
      const asked = Date.now();
      const stopping = AbortSignal.abort(new Interruption('stop-requested'));
      await expect(follow(running, stopping)).rejects.toThrow('stop-requested');
      expect(Date.now() - asked).toBeGreaterThanOrEqual(GRACE_MS - 1);
      expect((await running.exit).code).not.toBe(0);
      expect(await log()).toContain('ignored');
      await expectNoBeat();
    });

    it('lets the service’s deadline decide', async () => {
      const limit = { member: 'MaxRuntimeInSeconds', seconds: 1, at: Date.now() + 1_000 } as const;
      const asked = { ...asking('wait-for-term'), deadline: limit.at };
      const running = await executor.start(asked, new AbortController().signal);
      await untilLogHas('acting');
      await delay(Math.max(0, limit.at - Date.now()));
      // Nothing of the engine's own has ended it before.
      expect(await log()).not.toContain('terminated politely');
      const over = AbortSignal.abort(new Interruption(limit));
      await expect(follow(running, over)).rejects.toThrow('MaxRuntimeInSeconds');
      expect(await log()).toContain('terminated politely');
    });

    it('hands a running step over to the next process of the service', async () => {
      const running = await start('count', { OPTION_LINES: '40', OPTION_PAUSE_MS: '50' });
      await untilLogHas('line 3 of 40');
      const left = new AbortController();
      const following = follow(running, left.signal);
      left.abort(new Interruption('service-shutdown'));
      await expect(following).rejects.toThrow('service-shutdown');
      const adopted = await adopt(running);
      expect(adopted).toBeDefined();
      if (adopted === undefined) return;
      await follow(adopted);
      expect(countedLines(await log())).toEqual(numbers(40));
      expect((await log()).match(/acting/g)).toHaveLength(1);
    });

    it('ends an adopted step as its own', async () => {
      const running = await start('beat-with-child');
      await untilBeating();
      running.leave();
      const adopted = await adopt(running);
      if (adopted === undefined) throw new Error('the step was not found again');
      const stopping = AbortSignal.abort(new Interruption('stop-requested'));
      await expect(follow(adopted, stopping)).rejects.toThrow('stop-requested');
      expect(await log()).toContain('ignored');
      await expectNoBeat();
    });

    it.each([
      ['succeed', undefined],
      ['fail', 'the tensor x is broken'],
    ])('knows how a step ended that did %s while the service was down', async (act, reason) => {
      const running = await start(act);
      running.leave();
      const last = async () => {
        const { output, errorFile } = (await folders()) ?? request.folders;
        return reason === undefined ? join(output, 'optimization-report.json') : errorFile;
      };
      while (!existsSync(await last())) await delay(20);
      await delay(500);
      const adopted = await adopt(running);
      if (adopted === undefined) throw new Error('the step was not found again');
      if (reason === undefined) await follow(adopted);
      else await expect(follow(adopted)).rejects.toThrow(reason);
      expect((await log()).match(/acting/g)).toHaveLength(1);
    });

    it('never takes a step that was killed while the service was down for a success', async () => {
      const running = await start('beat-with-child');
      await untilBeating();
      running.signal('SIGKILL');
      await running.exit;
      const adopted = await adopt(running);
      if (adopted !== undefined) expect((await adopted.exit).code).not.toBe(0);
      await expectNoBeat();
    });

    it('ends what nobody took note of', async () => {
      const running = await start('beat-with-child');
      await untilBeating();
      await subject.create().reap(request);
      await running.exit;
      await expectNoBeat();
      // There may be nothing left to end.
      await subject.create().reap(request);
    });

    it('keeps the order of the log, and loses nothing of it', async () => {
      await follow(await start('count', { OPTION_LINES: '3000' }));
      expect(countedLines(await log())).toEqual(numbers(3000));
    });

    it('gives a step the contract’s environment, the caller’s settings, and nothing else', async () => {
      await follow(await start('succeed', { OPTION_A: 'a', NO_OPTION: 'b' }));
      const trace = await readFile(join(await result(), 'trace.json'), 'utf8');
      const [{ environment, seen }] = JSON.parse(trace);
      expect(environment).toMatchObject({ OPTION_A: 'a', NO_OPTION: 'b' });
      expect(seen).toEqual(
        expect.arrayContaining([
          'COMPILER_OPTIONS',
          'SM_NEO_CACHE_DIR',
          'SM_NEO_COMPILATION_ERROR_FILE',
          'SM_NEO_COMPILED_MODEL_DIR',
          'SM_NEO_EXECUTION_CONTEXT',
          'SM_NEO_HF_CACHE_DIR',
          'SM_NEO_INPUT_MODEL_DIR',
        ]),
      );
      expect(seen).not.toContain(SECRET);
      expect(seen.includes('OPTION_A')).toBe(subject.settings === 'environment');
    });

    it('lets the built-in optimizer alone go on from what it finished before', async () => {
      if (subject.settings === 'environment') {
        await follow(await start('succeed'));
        const trace = await readFile(join(await result(), 'trace.json'), 'utf8');
        expect(JSON.parse(trace)[0].seen).not.toContain('BURNISH_RESUME_DIR');
        return;
      }
      await follow(await start('go-on'));
      await createStepFolders(request.folders);
      await follow(await start('go-on'));
      const attempts = join(request.folders.output, 'attempts');
      expect(await readFile(attempts, 'utf8')).toBe('..');
      // In the result and among what is kept.
      expect((await stat(attempts)).nlink).toBe(2);
    });

    it('protects the source from the step, where it says so', async () => {
      const following = follow(await start('write-to-input'));
      if (!subject.protectsInput) return following;
      await expect(following).rejects.toThrow(/EROFS|read-only/);
      await expect(stat(join(request.inputFolder, 'intruder'))).rejects.toThrow('ENOENT');
    });
  });
}

const numbers = (total: number) => Array.from({ length: total }, (_, index) => index + 1);

const countedLines = (log: string) =>
  [...log.matchAll(/line (\d+) of \d+$/gm)].map(([, line]) => Number(line));
