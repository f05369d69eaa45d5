// Daemons that a suite starts end with it, whatever happens.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a daemon gets to be ready, and to end, in milliseconds. */
const READY_MS = 60_000;
const END_MS = 30_000;
const POLL_MS = 50;

/** Starts a daemon whose output goes to a file; it keeps nobody waiting. */
export function startDaemon(program, args, log, options = {}) {
  const output = openSync(log, 'a');
  const daemon = spawn(program, args, { ...options, stdio: ['ignore', output, output] });
  closeSync(output);
  daemon.unref();
  return daemon;
}

/** The end of a daemon's log, to tell why it did not come up. */
export const lastLines = (log) =>
  readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' | ');

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Waits until something is so.
 * @throws an error with the reason when it does not come to be in its time
 */
export async function until(isSo, reason) {
  const last = Date.now() + READY_MS;
  while (!(await isSo())) {
    if (Date.now() > last) throw new Error(reason());
    await delay(POLL_MS);
  }
}

/** Ends a child process and waits for it without the event loop, which is gone when a process exits. */
export function endDaemon({ pid }) {
  if (pid === undefined) return;
  const asked = Date.now();
  signal(pid, 'SIGTERM');
  while (isRunning(pid)) {
    if (Date.now() - asked > END_MS) signal(pid, 'SIGKILL');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** A child that has ended stays a zombie until the event loop sees it. */
function isRunning(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}
