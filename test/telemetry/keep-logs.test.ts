import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { JobLogs } from '#burnish/telemetry/job-log.js';
import { DEFAULT_LOG_LIMITS, LogKeeper } from '#burnish/telemetry/keep-logs.js';
import { createLogger } from '#burnish/telemetry/logger.js';
import { logSize, readLogBackward, readLogForward } from '#burnish/telemetry/read-log.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let root: string;

beforeEach(async () => {
  root = temporaryFolder('logs');
});

async function log(job: string, bytes: number, daysAgo = 0): Promise<void> {
  await mkdir(join(root, job), { recursive: true });
  const path = join(root, job, '1-quantization.log');
  await writeFile(path, `${'x'.repeat(99)}\n`.repeat(bytes / 100));
  const time = new Date(Date.now() - daysAgo * 24 * 3600 * 1000);
  await utimes(path, time, time);
}

const keeper = (change: object, running: readonly string[] = []) =>
  new LogKeeper(
    new JobLogs(root),
    { ...DEFAULT_LOG_LIMITS, ...change },
    () => running,
    async () => new Set(running),
    createLogger('silent'),
  );

describe('LogKeeper', () => {
  it('rotates what running jobs write, and nothing else while it watches', async () => {
    await log('running', 10_000);
    await log('ended', 10_000);
    await keeper({ maxStepBytes: 8_000 }, ['running']).watch();
    expect(await readdir(join(root, 'running'))).toHaveLength(3);
    expect(await readdir(join(root, 'ended'))).toHaveLength(1);
  });

  it('removes what is too old, but never of a running job', async () => {
    await log('old', 100, 40);
    await log('old-but-running', 100, 40);
    await log('new', 100, 3);
    await keeper({ maxDays: 30 }, ['old-but-running']).sweep();
    expect((await readdir(root)).sort()).toEqual(['new', 'old-but-running']);
  });

  it('removes those of jobs that ended longest ago when there is too much in all', async () => {
    for (const [index, job] of ['a', 'b', 'c', 'd'].entries()) await log(job, 1000, 10 - index);
    await keeper({ maxTotalBytes: 2500 }).sweep();
    expect((await readdir(root)).sort()).toEqual(['c', 'd']);
  });

  it('keeps up with a step that writes to its log itself, without end', async () => {
    const path = join(root, 'flood', '1-quantization.log');
    await mkdir(join(root, 'flood'));
    const file = await open(path, 'a');
    const program = `
      const line = 'x'.repeat(99) + '\\n';
      for (let block = 0; block < 400; block += 1) process.stdout.write(line.repeat(2500));
      process.stderr.write('flooded');
      process.stdin.once('data', () => process.stdout.write('\\nthe end\\n'));`;
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['pipe', file.fd, 'pipe'],
    });
    await file.close();
    let flooded = false;
    child.stderr?.once('data', () => {
      flooded = true;
    });
    const watching = keeper({ maxStepBytes: 800_000 }, ['flood']);
    while (!flooded) await watching.watch();
    await watching.watch();
    // What is written just while the file is emptied may be lost, even a line's break alone, so this is
    // written after it and begins with one.
    child.stdin?.end('x');
    await once(child, 'exit');
    await watching.watch();
    let kept = 0;
    for (const name of await readdir(join(root, 'flood'))) {
      kept += (await stat(join(root, 'flood', name))).size;
    }
    expect(kept).toBeLessThan(10e6);
    const size = (await logSize(path)) ?? 0;
    expect(size).toBeGreaterThan(10e6);
    expect((await readLogBackward(path, size, 1)).lines[0]?.text).toBe('the end');
    expect((await readLogForward(path, 0, 1)).lines[0]?.text).toBe('x'.repeat(99));
  });

  it('cuts the logs of jobs that ended while nobody watched', async () => {
    await log('ended', 100_000);
    await keeper({ maxStepBytes: 8_000 }).sweep();
    expect((await readdir(join(root, 'ended'))).length).toBeGreaterThan(1);
  });
});
