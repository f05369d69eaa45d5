import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from '../executors/staging/describe-files.js';
import type { StepFolders } from '../executors/step-folders.js';
import { readResultObjects } from '../executors/step-objects.js';
import type { NamedObject } from '../objects/object-store.js';
import type { ObjectLocation } from '../objects/s3-uri.js';
import { REPORT_FILE, type TransientFaults } from '../optimizer/report/types.js';
import type { JobExecution, JobRecord } from '../store/job-record.js';
import { amendReport } from './amend-report.js';
import { actingAsRole, type JobContext } from './job-context.js';
import { artifactEncryption } from './job-encryption.js';
import { stagingFaults } from './stage-source.js';
import { FaultCount } from './transient-faults.js';

/** What the last step left, and where it is to go. */
export interface StepResult {
  readonly folders: StepFolders;
  readonly location: ObjectLocation;
  /** How the record knows the step. */
  readonly execution: JobExecution;
}

/**
 * Makes the result of the last step visible at the job's output location. What is about to be
 * published is noted in the record first, so that a crash in between is told apart from a result
 * that is already there.
 *
 * @returns the transient faults that were got over on the way; the report tells of those before it
 */
export async function publishResult(
  context: JobContext,
  job: JobRecord,
  { folders, location, execution }: StepResult,
  signal: AbortSignal,
): Promise<TransientFaults> {
  const { output: folder } = folders;
  const copies = await copiesOf(folders);
  const staging = await stagingFaults(context, job);
  const publishing = new FaultCount();
  const settle = async (): Promise<void> => {
    await amendReport(folder, { transientFaults: { staging, publishing: publishing.counted } });
    const digest = await sha256Of(createReadStream(join(folder, REPORT_FILE)));
    const noted = { ...execution, publishing: digest };
    await context.leases.write(() => context.store.setExecution(job, noted), signal);
  };
  await settle();
  const copied = copies?.reduce((sum, { size }) => sum + size, 0) ?? 0;
  const bytes = (await folderBytes(folder)) + copied;
  const interrupted = job.execution?.publishing !== undefined;
  const encryption = artifactEncryption(job);
  const confirm = () => context.leases.confirm(job);
  try {
    await context.objects.publishFolder(folder, location, {
      signal,
      interrupted,
      confirm,
      onFault: publishing.listener,
      beforeReport: settle,
      ...(copies === undefined ? {} : { copies }),
      ...(encryption === undefined ? {} : { encryption }),
    });
  } catch (error) {
    // A node that lost the job in the middle of publishing may have come to the end of it after all.
    if (!(interrupted && (await isPublished(context, job, location)))) throw error;
  }
  context.metrics.resultPublished(bytes);
  return publishing.counted;
}

/** What of a step's result the object store has already, where it has any: all but the report. */
export async function copiesOf(folders: StepFolders): Promise<readonly NamedObject[] | undefined> {
  const files = await readResultObjects(folders);
  return files?.filter(({ name }) => name !== REPORT_FILE);
}

/** Whether the result that a record was about to publish is at the output location already. */
export async function isPublished(
  context: JobContext,
  job: JobRecord,
  location: ObjectLocation,
): Promise<boolean> {
  const expected = job.execution?.publishing;
  if (expected === undefined) return false;
  try {
    const key = location.key === '' ? REPORT_FILE : `${location.key}/${REPORT_FILE}`;
    const { objects } = await actingAsRole(context, job);
    const { body } = await objects.read(location.bucket, key);
    return (await sha256Of(body)) === expected;
  } catch {
    return false;
  }
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
