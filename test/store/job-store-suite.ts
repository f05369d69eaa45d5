import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeaseLostError } from '#burnish/store/job-leases.js';
import type { JobRequest } from '#burnish/store/job-record.js';
import { JobExistsError, type JobStore } from '#burnish/store/job-store.js';
import { type JobFilter, type JobSortKey, positionOf } from '#burnish/store/list-jobs.js';
import { createRequest } from '../support/create-request.js';

/** A database that holds nothing yet. */
export interface FreshDatabase {
  /** Whether several nodes may have it open at once. */
  readonly shared: boolean;
  /** Opens it; more than once for several nodes, or for a restart. */
  open(): Promise<JobStore>;
  /** Drops a database that outlives the test. */
  remove?(): Promise<void>;
}

/** A process that has the record to itself. */
const alone = { node: 'alone', durationMs: undefined };

const arnOf = (name: string) => `arn:aws:sagemaker:us-east-1:000000000000:optimization-job/${name}`;

/** What a job store promises, whatever database is below it. */
export function testJobStore(database: string, fresh: () => Promise<FreshDatabase>): void {
  let opened: FreshDatabase;
  let store: JobStore;

  beforeEach(async () => {
    opened = await fresh();
    store = await opened.open();
  });

  afterEach(async () => {
    await store.close();
    await opened.remove?.();
  });

  function create(name: string, createdAt: number, types = ['Quantization']): Promise<void> {
    return store.create({
      name,
      arn: arnOf(name),
      request: createRequest({ OptimizationJobName: name }) as unknown as JobRequest,
      optimizationTypes: types,
      tags: [{ Key: 'team', Value: name }],
      createdAt,
    });
  }

  async function pages(
    filter: JobFilter,
    sortBy: JobSortKey,
    descending: boolean,
    limit: number,
  ): Promise<string[]> {
    const names: string[] = [];
    let page = await store.list({ filter, sortBy, descending, limit });
    while (page.length > 0) {
      names.push(...page.map((job) => job.name));
      const last = page.at(-1);
      if (last === undefined) break;
      page = await store.list({
        filter,
        sortBy,
        descending,
        limit,
        after: positionOf(last, sortBy),
      });
    }
    return names;
  }

  describe(`JobStore in ${database}`, () => {
    it('keeps a job over a restart, whole', async () => {
      await create('a', 1000);
      await store.close();
      store = await opened.open();
      const job = await store.get('a');
      expect(job).toMatchObject({
        name: 'a',
        arn: arnOf('a'),
        status: 'STARTING',
        createdAt: 1000,
      });
      expect(job?.request).toEqual(createRequest({ OptimizationJobName: 'a' }));
      expect(await store.listTags(arnOf('a'))).toEqual([{ Key: 'team', Value: 'a' }]);
    });

    it('refuses a name that is taken and leaves the first job alone', async () => {
      await create('a', 1000);
      await expect(create('a', 2000)).rejects.toThrow(JobExistsError);
      expect((await store.get('a'))?.createdAt).toBe(1000);
      expect(await store.history('a')).toHaveLength(1);
    });

    it('lets exactly one of many simultaneous creations win', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) => create('same', index)),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    });

    it('moves a job only from the states it is told, and notes the history', async () => {
      await create('a', 1000);
      expect(await store.transition('a', ['INPROGRESS'], 'COMPLETED', { at: 1 })).toBe(false);
      const job = await store.leases.takeWaiting('a', alone, { at: 2, started: true });
      await store.setExecution({ name: 'a', lease: job?.lease }, { step: 0, handle: { pid: 1 } });
      await store.transition('a', ['INPROGRESS'], 'FAILED', {
        at: 3,
        ended: true,
        failureReason: 'because',
      });
      expect(await store.get('a')).toMatchObject({
        status: 'FAILED',
        startedAt: 2,
        endedAt: 3,
        modifiedAt: 3,
        failureReason: 'because',
        execution: undefined,
      });
      expect((await store.history('a')).map((event) => event.status)).toEqual([
        'STARTING',
        'INPROGRESS',
        'FAILED',
      ]);
    });

    it('deletes a record with its tags, only in the states it is told', async () => {
      await create('a', 1000);
      expect(await store.delete('a', ['COMPLETED'])).toBe(false);
      expect(await store.delete('a', ['STARTING'])).toBe(true);
      expect(await store.get('a')).toBeUndefined();
      expect(await store.listTags(arnOf('a'))).toEqual([]);
      await create('a', 2000);
    });

    it('adds, replaces, limits and deletes tags', async () => {
      await create('a', 1000);
      const arn = arnOf('a');
      expect(
        await store.addTags(
          arn,
          [
            { Key: 'team', Value: 'x' },
            { Key: 'z', Value: '' },
          ],
          2,
        ),
      ).toEqual([
        { Key: 'team', Value: 'x' },
        { Key: 'z', Value: '' },
      ]);
      expect(await store.addTags(arn, [{ Key: 'third', Value: '' }], 2)).toBe('too-many');
      await store.deleteTags(arn, ['team', 'unknown']);
      expect(await store.listTags(arn)).toEqual([{ Key: 'z', Value: '' }]);
    });

    it('gives a job no more tags than its limit, however many are added at once', async () => {
      await create('a', 1000);
      const nodes = [store, ...(opened.shared ? [await opened.open()] : [])];
      const adding = Array.from({ length: 16 }, (_, index) =>
        nodes[index % nodes.length]?.addTags(arnOf('a'), [{ Key: `${index}`, Value: '' }], 4),
      );
      const answers = await Promise.all(adding);
      expect(answers.filter((answer) => answer !== 'too-many')).toHaveLength(3);
      expect(await store.listTags(arnOf('a'))).toHaveLength(4);
      await Promise.all(nodes.slice(1).map((node) => node.close()));
    });

    it('gives no tags to a job that is gone', async () => {
      await create('a', 1000);
      await store.delete('a', ['STARTING']);
      expect(await store.addTags(arnOf('a'), [{ Key: 'late', Value: '' }], 4)).toBe('no-job');
      expect(await store.listTags(arnOf('a'))).toEqual([]);
    });

    it('pages through every order completely and without repeats', async () => {
      // Many jobs share a creation time, so that ties fall on page borders.
      const names = Array.from({ length: 53 }, (_, index) => `job-${index}`);
      for (const [index, name] of names.entries()) await create(name, 1000 + (index % 5));
      for (const name of names.slice(0, 20)) {
        await store.transition(name, ['STARTING'], 'INPROGRESS', { at: 5000 });
      }
      for (const sortBy of ['Name', 'CreationTime', 'Status'] as const) {
        const up = await pages({}, sortBy, false, 7);
        const down = await pages({}, sortBy, true, 10);
        expect([...up].sort()).toEqual([...names].sort());
        expect(down).toEqual([...up].reverse());
      }
    });

    it('puts names in order by their bytes, and finds parts of them whatever the case', async () => {
      for (const name of ['b-2', 'B-1', 'a-1', 'a1', 'A-2']) await create(name, 1000);
      expect(await pages({}, 'Name', false, 2)).toEqual(['A-2', 'B-1', 'a-1', 'a1', 'b-2']);
      expect(await pages({ nameContains: 'A-' }, 'Name', false, 10)).toEqual(['A-2', 'a-1']);
      expect(await pages({ typesContain: 'quant' }, 'Name', false, 10)).toHaveLength(5);
    });

    it('filters', async () => {
      await create('alpha-1', 1000);
      await create('alpha-2', 2000, ['Quantization', 'Sharding']);
      await create('beta', 3000);
      await store.transition('beta', ['STARTING'], 'STOPPED', { at: 9000 });
      const names = (filter: JobFilter) => pages(filter, 'Name', false, 10);
      expect(await names({ nameContains: 'alpha' })).toEqual(['alpha-1', 'alpha-2']);
      expect(await names({ typesContain: 'Shard' })).toEqual(['alpha-2']);
      expect(await names({ status: 'STOPPED' })).toEqual(['beta']);
      expect(await names({ createdAfter: 1000, createdBefore: 3000 })).toEqual(['alpha-2']);
      expect(await names({ modifiedAfter: 3000 })).toEqual(['beta']);
      expect(await names({ modifiedBefore: 2000 })).toEqual(['alpha-1']);
    });
  });

  describe(`JobLeases in ${database}`, () => {
    const first = { node: 'first', durationMs: 60_000 };
    const second = { node: 'second', durationMs: 60_000 };
    /** A node whose leases have ended as soon as they begin. */
    const dying = { node: 'dying', durationMs: -1_000 };
    const started = { at: 5, started: true };

    it('gives a waiting job to exactly one of many nodes', async () => {
      await create('a', 1);
      const others = opened.shared ? 4 : 0;
      const nodes = [store, ...(await Promise.all(Array.from({ length: others }, opened.open)))];
      const taken = await Promise.all(
        [...nodes, ...nodes].map((node) => node.leases.takeWaiting('a', first, started)),
      );
      expect(taken.filter((job) => job !== undefined)).toHaveLength(1);
      expect(await store.get('a')).toMatchObject({ status: 'INPROGRESS', startedAt: 5 });
      expect((await store.history('a')).map(({ status }) => status)).toEqual([
        'STARTING',
        'INPROGRESS',
      ]);
      await Promise.all(nodes.slice(1).map((node) => node.close()));
    });

    it('keeps a job from others until its lease ends, and lets one of them take it over', async () => {
      await create('a', 1);
      await create('b', 2);
      await store.leases.takeWaiting('a', first, started);
      const old = await store.leases.takeWaiting('b', dying, started);
      expect((await store.leases.lost(second, 10)).map(({ name }) => name)).toEqual(['b']);
      expect(await store.leases.takeLost('a', second)).toBeUndefined();
      const taken = await Promise.all([
        store.leases.takeLost('b', second),
        store.leases.takeLost('b', first),
      ]);
      const [job, ...others] = taken.filter((record) => record !== undefined);
      expect(others).toEqual([]);
      expect(job?.lease).not.toBe(old?.lease);
      expect(await store.leases.lost(second, 10)).toEqual([]);
    });

    it('lets a process that is alone take everything over', async () => {
      await create('a', 1);
      await store.leases.takeWaiting('a', alone, started);
      expect(await store.leases.lost(alone, 10)).toHaveLength(1);
      expect(await store.leases.takeLost('a', alone)).toMatchObject({ name: 'a' });
    });

    it('records nothing for a node that has lost the job', async () => {
      await create('a', 1);
      const old = await store.leases.takeWaiting('a', dying, started);
      if (old === undefined) throw new Error('not taken');
      const job = await store.leases.takeLost('a', second);
      const end = { at: 9, ended: true };
      expect(await store.leases.isHeld(old)).toBe(false);
      await expect(store.setExecution(old, { step: 1 })).rejects.toThrow(LeaseLostError);
      await expect(store.leases.requeue(old, 9, 10)).rejects.toThrow(LeaseLostError);
      expect(
        await store.transition('a', ['INPROGRESS'], 'FAILED', { ...end, lease: old.lease }),
      ).toBe(false);
      expect(
        await store.transition('a', ['INPROGRESS'], 'COMPLETED', { ...end, lease: job?.lease }),
      ).toBe(true);
      expect(await store.get('a')).toMatchObject({ status: 'COMPLETED', lease: undefined });
    });

    it('renews leases and tells what was asked for meanwhile', async () => {
      await create('a', 1);
      await create('b', 2);
      const ended = { node: 'first', durationMs: dying.durationMs };
      const a = await store.leases.takeWaiting('a', ended, started);
      const b = await store.leases.takeWaiting('b', ended, started);
      await store.leases.takeLost('b', second);
      await store.transition('a', ['INPROGRESS'], 'STOPPING', { at: 6 });
      const tokens = [a?.lease ?? '', b?.lease ?? ''];
      expect(await store.leases.renew(first, tokens)).toEqual([
        { name: 'a', token: a?.lease, status: 'STOPPING' },
      ]);
      expect(await store.leases.lost(second, 10)).toEqual([]);
      await store.leases.release(first);
      expect((await store.leases.lost(second, 10)).map(({ name }) => name)).toEqual(['a']);
    });

    it('puts a job back into the queue for a new attempt, with what it was about to publish', async () => {
      await create('a', 1);
      const job = await store.leases.takeWaiting('a', first, started);
      if (job === undefined) throw new Error('not taken');
      await store.setExecution(job, { step: 1, handle: 7, publishing: 'abc' });
      const record = await store.get('a');
      if (record === undefined) throw new Error('gone');
      await store.leases.requeue(record, 8, 100);
      expect(await store.get('a')).toMatchObject({
        status: 'STARTING',
        startedAt: 5,
        attempt: 1,
        lease: undefined,
        execution: { step: 0, publishing: 'abc' },
      });
      expect(await store.earliestQueueDeadline()).toBe(100);
    });

    it('agrees on one data folder', async () => {
      expect(await store.leases.sharedFolder('one')).toBe('one');
      expect(await store.leases.sharedFolder('two')).toBe('one');
    });
  });
}
