import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import {
  endFirstWithoutMemory,
  memoryOfProcess,
} from '#burnish/executors/local-process/process-memory.js';

/** Holds 100 MB itself, and has a child that holds as much. */
const PROGRAM = `
  const held = Buffer.alloc(100e6, 1);
  if (process.argv[1] === 'parent') {
    const { spawn } = require('node:child_process');
    spawn(process.execPath, ['-e', process.env.PROGRAM, 'child'], { stdio: 'inherit' });
  } else console.log('ready');
  setInterval(() => held.length, 1000);`;

let pid: number | undefined;

afterEach(() => {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
});

it('knows the memory of a process with its descendants, and which is to end first', async () => {
  const child = spawn(process.execPath, ['-e', PROGRAM, 'parent'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PROGRAM },
  });
  pid = child.pid;
  endFirstWithoutMemory(pid ?? 0);
  await once(child.stdout, 'data');
  expect(await memoryOfProcess(pid ?? 0)).toBeGreaterThan(200e6);
  expect((await readFile(`/proc/${pid}/oom_score_adj`, 'utf8')).trim()).toBe('500');
});

it('knows nothing of a process that is gone', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  expect(await memoryOfProcess(child.pid ?? 0)).toBeUndefined();
  expect(() => endFirstWithoutMemory(child.pid ?? 0)).not.toThrow();
});
