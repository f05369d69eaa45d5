import { join } from 'node:path';
import { findProcesses } from '#burnish/executors/local-process/find-processes.js';

/** Kills whatever runs of the first step of a job, with its whole process group. */
export async function killFirstStep(dataDir: string, job: string): Promise<void> {
  const stepFile = join(dataDir, 'work', job, 'step-1', 'step.json');
  for (const pid of await findProcesses('BURNISH_STEP_FILE', stepFile)) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
}
