import { appendFile, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The logs of jobs: one file for each step, in a folder for each job. */
export class JobLogs {
  private readonly listeners: ((jobName: string) => void)[] = [];

  constructor(readonly root: string) {}

  folderOf(jobName: string): string {
    return join(this.root, jobName);
  }

  /**
   * @param step counted from 0
   * @param technique the step's technique, for example `quantization`
   */
  fileOf(jobName: string, step: number, technique: string): string {
    return join(this.folderOf(jobName), `${step + 1}-${technique}.log`);
  }

  /** Adds a line of the service's own to a step's log. */
  async append(file: string, text: string): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    await appendFile(file, `${new Date().toISOString()} ${text}\n`);
    for (const tell of this.listeners) tell(basename(dirname(file)));
  }

  /** Has a function called with the name of a job after each line of the service's own in its logs. */
  listen(listener: (jobName: string) => void): void {
    this.listeners.push(listener);
  }

  async remove(jobName: string): Promise<void> {
    await rm(this.folderOf(jobName), { recursive: true, force: true });
  }
}
