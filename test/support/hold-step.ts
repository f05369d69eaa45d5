import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished, TestRunner } from 'vitest';
import { findProcesses } from '#burnish/executors/local-process/find-processes.js';

/**
 * Waits until the first step of a job runs, and stops its processes where they are (SIGSTOP): however
 * long the test takes over what comes next, the step has not ended by then.
 *
 * @returns a function that lets it go on; the end of a test does, too
 */
export async function holdStep(dataDir: string, job: string): Promise<() => void> {
  const stepFile = join(dataDir, 'work', job, 'step-1', 'step.json');
  let leaders: readonly number[] = [];
  while (leaders.length === 0) {
    await delay(10);
    leaders = await findProcesses('BURNISH_STEP_FILE', stepFile);
  }
  const signal = (name: NodeJS.Signals) => {
    for (const leader of leaders) process.kill(-leader, name);
  };
  signal('SIGSTOP');
  const goOn = () => signal('SIGCONT');
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
