import { readdir, readFile } from 'node:fs/promises';

/**
 * The leaders of process groups whose environment has a variable with a value, by looking at every
 * process of this machine. Empty where there is no /proc.
 */
export async function findProcesses(variable: string, value: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => [] as string[]);
  const found: number[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    // A process of another user can't be read, and is none of ours.
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`${variable}=${value}`)) continue;
    const pid = Number(name);
    if ((await processGroupOf(pid)) === pid) found.push(pid);
  }
  return found;
}

/** Field 5 of /proc/PID/stat, counted behind the command name, which may hold spaces. */
async function processGroupOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const field = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[5 - 3];
  return field === undefined ? undefined : Number(field);
}
