import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  DescribeOptimizationJobCommand,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectWhole } from '../support/published-result.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { END_STATES } from '../support/until-ended.js';
import { ServiceNodes } from './service-nodes.js';

/** The full form is 300 jobs. */
const JOBS = Number(process.env.BURNISH_NODE_JOBS ?? 300);
const NODES = 3;
/** Between kills, in milliseconds. */
const KILL_EVERY = 4_000;
/** How long a node that was killed stays away, in milliseconds. */
const AWAY = 1_500;
const CLIENTS = 8;

const QUICK = { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' };
/** Takes seconds, even alone on its machine. */
const SLOW = { OPTION_QUANTIZE: 'awq', OPTION_CALIB_SIZE: '64', OPTION_EVALUATE: 'false' };

let service: ServiceNodes;

beforeEach(async () => {
  service = await ServiceNodes.start(NODES);
});

afterEach(() => service.close());

async function until<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    await delay(50);
  }
}

async function endOf(name: string): Promise<string> {
  return until(async () => {
    const [row] = await service.query(`select status from jobs where name = '${name}'`);
    const status = String(row?.status);
    return END_STATES.includes(status) ? status : undefined;
  });
}

const output = (name: string) => join(service.dataDir, 'buckets', 'models', 'out', name);

async function expectPublished(name: string): Promise<void> {
  expect((await expectWhole(output(name))).complete).toBe(true);
}

describe('three service nodes on one database', () => {
  it('run each job exactly once to the end while they are killed one after the other', async () => {
    const names = Array.from({ length: JOBS }, (_, index) => `job-${index}`);
    const waiting = [...names];
    let working = true;
    let kills = 0;
    const killing = (async () => {
      while (working) {
        await delay(KILL_EVERY);
        const victim = kills % NODES;
        kills += 1;
        await service.killNode(victim);
        await delay(AWAY);
        await service.startNode(victim);
      }
    })();
    const began = Date.now();
    /** The files of each result as they were when its job was first seen completed. */
    const firstSeen = new Map<string, number>();
    const creating = Array.from({ length: CLIENTS }, async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        await service.create(name, QUICK).catch((error: Error) => {
          // The node may have been killed between recording the job and answering; then it is there.
          if (error.name !== 'ConflictException') throw error;
        });
      }
    });
    await Promise.all(creating);
    for (const name of names) {
      expect(await endOf(name), name).toBe('COMPLETED');
      firstSeen.set(name, (await stat(join(output(name), 'optimization-report.json'))).ino);
    }
    const seconds = (Date.now() - began) / 1000;
    working = false;
    await killing;

    const events = await service.query(
      'select job_name, status, count(*)::int as count from job_events group by 1, 2',
    );
    const count = (status: string) =>
      events.filter((event) => event.status === status).map((event) => Number(event.count));
    expect(count('COMPLETED')).toEqual(names.map(() => 1));
    expect(count('FAILED')).toEqual([]);
    expect(count('STOPPED')).toEqual([]);
    for (const name of names) {
      await expectPublished(name);
      const { ino } = await stat(join(output(name), 'optimization-report.json'));
      expect(ino, `${name} was published again`).toBe(firstSeen.get(name));
    }
    expect((await readdir(join(output('..'), 'out'))).length).toBe(JOBS);
    expect(await readdir(join(service.dataDir, 'work'))).toEqual([]);
    const taken = count('INPROGRESS').reduce((sum, times) => sum + times - 1, 0);
    const anew = count('STARTING').reduce((sum, times) => sum + times - 1, 0);
    console.log(
      `${JOBS} jobs in ${seconds.toFixed(0)} s, ${kills} nodes killed, ${taken} jobs taken over, ${anew} of them started anew`,
    );
    expect(kills).toBeGreaterThan(0);
  });

  it('finish their jobs although the database breaks all connections again and again', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `job-${index}`);
    let working = true;
    let broken = 0;
    const breaking = (async () => {
      while (working) {
        await delay(300);
        const ended = await service.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'burnish' and datname = current_database()",
        );
        broken += ended.length;
      }
    })();
    for (const name of names) {
      await service.create(name, QUICK).catch((error: Error) => {
        // The connection may have broken between recording the job and answering; then it is there.
        if (error.name !== 'ConflictException') throw error;
      });
    }
    for (const name of names) expect(await endOf(name), name).toBe('COMPLETED');
    working = false;
    await breaking;
    for (const name of names) await expectPublished(name);
    expect(broken).toBeGreaterThan(0);
  });

  it('stop a job on whichever node it runs', async () => {
    await service.create('slow', SLOW);
    const runsOn = await until(async () =>
      (await service.optimizers('slow')).length > 0 ? service.nodeOf('slow') : undefined,
    );
    const other = service.clientOf((runsOn + 1) % NODES);
    await other.send(new StopOptimizationJobCommand({ OptimizationJobName: 'slow' }));
    expect(await endOf('slow')).toBe('STOPPED');
    expect(await service.optimizers('slow')).toEqual([]);
    const described = await other.send(
      new DescribeOptimizationJobCommand({ OptimizationJobName: 'slow' }),
    );
    expect(described.OptimizationJobStatus).toBe('STOPPED');
    other.destroy();
  });

  it('take a job from a node that hangs, which then leaves it alone', async () => {
    await service.create('slow', SLOW);
    const hanging = await until(() => service.nodeOfStep('slow'));
    service.signalNode(hanging, 'SIGSTOP');
    await until(async () => {
      const node = await service.nodeOf('slow');
      return node === undefined || node === hanging ? undefined : node;
    });
    service.signalNode(hanging, 'SIGCONT');
    expect(await endOf('slow')).toBe('COMPLETED');
    await expectPublished('slow');
    // The step went on all the while: it was started once.
    const log = await readFile(join(service.dataDir, 'logs', 'slow', '1-quantization.log'), 'utf8');
    expect(log.match(/step 1: quantization/g)).toHaveLength(1);
    const events = await service.query(
      "select count(*)::int as count from job_events where job_name = 'slow' and status = 'COMPLETED'",
    );
    expect(events).toEqual([{ count: 1 }]);
  });

  it('refuse a node with a data folder of its own', async () => {
    const said = await service.startRefused(temporaryFolder('alone'));
    expect(said).toMatch(/^255 .*is not the one that the other nodes of this database use/s);
    expect(said).not.toMatch(/postgres:\/\//);
  });
});
