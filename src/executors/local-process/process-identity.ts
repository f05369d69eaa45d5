import { readFile } from 'node:fs/promises';

/** A process that is known again even when its number has been given to another one since. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot at which the process began; undefined where /proc is absent. */
  readonly startTicks: string | undefined;
}

/** Fields 3 and 22 of /proc/PID/stat, counted behind the command name, which may hold spaces. */
const STATE_FIELD = 3 - 3;
const START_TIME_FIELD = 22 - 3;
/** It has ended, and nobody has asked how: orphans stay so where the first process does not care. */
const ZOMBIE = 'Z';

/** Identifies a process that runs now. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity> {
  return { pid, startTicks: await readStartTicks(pid) };
}

/** Whether the process that was identified is still there. */
export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
  if (identity.startTicks === undefined) return false;
  return (await readStartTicks(identity.pid)) === identity.startTicks;
}

async function readStartTicks(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[STATE_FIELD] === ZOMBIE ? undefined : fields[START_TIME_FIELD];
  } catch {
    return undefined;
  }
}
