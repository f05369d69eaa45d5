import { describe, expect, it } from 'vitest';
import type { Client } from '#burnish/cli/client/client.js';
import { ServiceResponseError } from '#burnish/cli/client/errors.js';
import { waitForCompletion } from '#burnish/cli/commands/wait-for-job.js';
import type { OptimizationJobProgress } from '#burnish/service-model/burnish-operations.js';
import { describedJob } from './described-job.js';

const PROGRESS = 'Burnish.DescribeOptimizationJobProgress';
const DESCRIBE = 'DescribeOptimizationJob';

/** A service that answers each operation with one answer after the other, the last for ever. */
function service(answers: Readonly<Record<string, readonly (object | Error)[]>>) {
  const calls: string[] = [];
  const client: Client = {
    async send(target, input) {
      expect(input).toEqual({ OptimizationJobName: 'job' });
      const before = calls.filter((call) => call === target).length;
      calls.push(target);
      const answer = answers[target]?.[before] ?? answers[target]?.at(-1);
      if (answer === undefined || answer instanceof Error) throw answer;
      return answer as Awaited<ReturnType<Client['send']>>;
    },
    close() {},
  };
  return { client, calls };
}

const progress = (state: string, phase?: string) => ({
  OptimizationJobName: 'job',
  OptimizationJobStatus: state,
  Steps: 1,
  UpdatedTime: 1.5,
  ...(phase === undefined ? {} : { Phase: phase }),
});

const refusal = (code: string, target: string) => new ServiceResponseError(code, 'no', target, 400);

async function wait(client: Client, signal = new AbortController().signal) {
  const updates: OptimizationJobProgress[] = [];
  let finished: OptimizationJobProgress | undefined;
  const reporter = {
    update: (one: OptimizationJobProgress) => updates.push(one),
    finish: (last?: OptimizationJobProgress) => {
      finished = last;
    },
  };
  const error = await waitForCompletion(client, 'job', signal, reporter).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { updates, finished, error };
}

describe('waiting for a job', () => {
  it('shows what the service tells, until the job is complete', async () => {
    const { client, calls } = service({
      [PROGRESS]: [
        progress('STARTING'),
        progress('INPROGRESS', 'quantizing'),
        progress('COMPLETED'),
      ],
      [DESCRIBE]: [describedJob('COMPLETED')],
    });
    const { updates, finished, error } = await wait(client);
    expect(error).toBeUndefined();
    expect(updates.map((update) => [update.OptimizationJobStatus, update.Phase])).toEqual([
      ['STARTING', undefined],
      ['INPROGRESS', 'quantizing'],
    ]);
    expect(finished).toMatchObject({ OptimizationJobStatus: 'COMPLETED', UpdatedTime: 1500 });
    expect(calls).toEqual([PROGRESS, PROGRESS, PROGRESS, DESCRIBE]);
  });

  it.each(['UnknownOperationException', 'AccessDeniedException'])(
    'does without progress where the service answers %s',
    async (code) => {
      const { client, calls } = service({
        [PROGRESS]: [refusal(code, PROGRESS)],
        [DESCRIBE]: [describedJob('COMPLETED')],
      });
      const { finished, error } = await wait(client);
      expect(error).toBeUndefined();
      expect(finished).toEqual({
        OptimizationJobName: 'job',
        OptimizationJobStatus: 'COMPLETED',
        Steps: 2,
      });
      expect(calls.filter((call) => call === PROGRESS)).toHaveLength(1);
    },
  );

  it.each([
    ['FAILED', 'the model is empty', 'optimization job job is FAILED: the model is empty'],
    ['STOPPED', undefined, 'optimization job job is STOPPED'],
  ])('fails where the job is %s', async (state, reason, message) => {
    const { client } = service({
      [PROGRESS]: [progress(state)],
      [DESCRIBE]: [describedJob(state, reason)],
    });
    expect((await wait(client)).error).toMatchObject({
      exitStatus: 255,
      message: expect.stringMatching(
        new RegExp(`^Waiter OptimizationJobCompleted failed: .*${message}$`),
      ),
    });
  });

  it('fails where there is no such job', async () => {
    const { client } = service({ [PROGRESS]: [refusal('ResourceNotFound', PROGRESS)] });
    expect((await wait(client)).error).toMatchObject({ exitStatus: 254 });
  });

  it('ends where the user interrupts it', async () => {
    const { client } = service({ [PROGRESS]: [progress('INPROGRESS')] });
    const interrupted = new AbortController();
    setImmediate(() => interrupted.abort());
    const { finished, error } = await wait(client, interrupted.signal);
    expect(error).toMatchObject({ exitStatus: 130 });
    expect(finished).toMatchObject({ OptimizationJobStatus: 'INPROGRESS' });
  });
});
