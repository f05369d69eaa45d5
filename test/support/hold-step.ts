import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished, TestRunner } from 'vitest';
import { findProcesses } from '#burnish/executors/local-process/find-processes.js';

/** How long to wait before looking again, in milliseconds. */
const PAUSE_MS = 10;

/** A step that is to be held goes on for this long before it is held and looked at again. */
const STRIDE_MS = 2;

/** The bit of SIGTERM in the sets of signals of /proc/PID/status. */
const SIGTERM_BIT = 1n << 14n;

/**
 * Waits until the first step of a job runs, and stops its processes where they are (SIGSTOP): however
 * long the test takes over what comes next, the step has not ended by then.
 *
 * @returns a function that lets it go on; the end of a test does, too
 */
export async function holdStep(dataDir: string, job: string): Promise<() => void> {
  const leaders = await untilRunning(dataDir, job);
  signal(leaders, 'SIGSTOP');
  const goOn = () => signal(leaders, 'SIGCONT');
  if (TestRunner.getCurrentTest() !== undefined) {
    onTestFinished(() => {
      try {
        goOn();
      } catch {
        // It has ended.
      }
    });
  }
  return goOn;
}

/**
 * Holds the first step of a job as {@link holdStep} does, but only when it has begun a phase of its work,
 * as its progress tells. Until then it goes on by strides, and is looked at while it is held.
 *
 * @returns a function that lets it go on; the end of a test does, too
 * @throws an error if the step has ended before
 */
export async function holdStepIn(dataDir: string, job: string, phase: string): Promise<() => void> {
  const progress = join(stepFolder(dataDir, job), 'progress.jsonl');
  const goOn = await holdStep(dataDir, job);
  const leaders = await untilRunning(dataDir, job);
  const begun = `"phase":"${phase}"`;
  while (!(await readFile(progress, 'utf8').catch(() => '')).includes(begun)) {
    goOn();
    await delay(STRIDE_MS);
    signal(leaders, 'SIGSTOP');
  }
  return goOn;
}

/** Waits until the first step of a job, which is held, was sent SIGTERM. */
export async function untilToldToStop(dataDir: string, job: string): Promise<void> {
  const leaders = await untilRunning(dataDir, job);
  for (;;) {
    const told = await Promise.all(leaders.map(isToldToStop));
    if (told.every(Boolean)) return;
    await delay(PAUSE_MS);
  }
}

async function isToldToStop(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const pending = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return (BigInt(`0x${pending}`) & SIGTERM_BIT) !== 0n;
}

const stepFolder = (dataDir: string, job: string) => join(dataDir, 'work', job, 'step-1');

async function untilRunning(dataDir: string, job: string): Promise<readonly number[]> {
  const stepFile = join(stepFolder(dataDir, job), 'step.json');
  for (;;) {
    const leaders = await findProcesses('BURNISH_STEP_FILE', stepFile);
    if (leaders.length > 0) return leaders;
    await delay(PAUSE_MS);
  }
}

function signal(leaders: readonly number[], name: NodeJS.Signals): void {
  for (const leader of leaders) process.kill(-leader, name);
}
