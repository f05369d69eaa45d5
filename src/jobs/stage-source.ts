import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changedFile, fingerprintFolder } from '../executors/staging/fingerprint-folder.js';
import { findLicenseTerms, licenseRefusal } from '../executors/staging/license-terms.js';
import type { TransientFaults } from '../optimizer/report/types.js';
import type { JobRecord } from '../store/job-record.js';
import { type JobContext, jobFolder } from './job-context.js';
import { JobFailure } from './job-failure.js';
import { FaultCount } from './transient-faults.js';

/** A job's source on this machine, as it was when the job first looked. */
interface SourceRecord {
  /** Undefined for a source that steps read from the object store: those very versions, or none. */
  readonly path?: string | undefined;
  readonly files: readonly (readonly [string, string])[];
  /** What was got over on the way. */
  readonly faults: TransientFaults;
}

const recordFile = (context: JobContext, job: JobRecord) =>
  join(jobFolder(context, job), 'source.json');

/**
 * Makes the job's source available on this machine and notes what it looks like.
 *
 * @returns the folder; it may be the object store's own, so nobody may write to it
 * @throws JobFailure when the license terms that it carries are not accepted, ObjectStoreError
 */
export async function stageSource(
  context: JobContext,
  job: JobRecord,
  signal: AbortSignal,
): Promise<string> {
  const uri = job.request.ModelSource.S3?.S3Uri;
  if (uri === undefined) throw new JobFailure('ModelSource.S3.S3Uri is not set.');
  const target = join(jobFolder(context, job), 'source');
  await rm(target, { recursive: true, force: true });
  const faults = new FaultCount();
  const { path, bytes } = await context.objects.stageFolder(context.locate(uri), target, {
    signal,
    onFault: faults.listener,
  });
  context.metrics.sourceStaged(bytes);
  await checkLicense(context, job, path, uri);
  const files = [...(await fingerprintFolder(path))];
  await record(context, job, { path, files, faults: faults.counted });
  return path;
}

/** Notes that steps read the job's source from the object store. */
export async function leaveSource(context: JobContext, job: JobRecord): Promise<void> {
  await record(context, job, { files: [], faults: new FaultCount().counted });
}

async function record(context: JobContext, job: JobRecord, source: SourceRecord): Promise<void> {
  await writeFile(recordFile(context, job), JSON.stringify(source));
}

/** The faults that were got over while the source was staged. */
export async function stagingFaults(context: JobContext, job: JobRecord): Promise<TransientFaults> {
  const text = await readFile(recordFile(context, job), 'utf8');
  return (JSON.parse(text) as SourceRecord).faults;
}

/**
 * Checks that the source is as it was when it was staged.
 * @throws JobFailure that names a file which was changed, added or removed
 */
export async function checkUnchanged(context: JobContext, job: JobRecord): Promise<void> {
  const { path, files } = JSON.parse(
    await readFile(recordFile(context, job), 'utf8'),
  ) as SourceRecord;
  if (path === undefined) return;
  const changed = changedFile(new Map(files), await fingerprintFolder(path));
  if (changed !== undefined) {
    throw new JobFailure(
      `The source was changed while the job read it: ${changed}. Create the job again when the source is at rest.`,
    );
  }
}

async function checkLicense(
  context: JobContext,
  job: JobRecord,
  folder: string,
  uri: string,
): Promise<void> {
  if (job.request.ModelSource.S3?.ModelAccessConfig?.AcceptEula === true) return;
  const terms = await findLicenseTerms(folder, context.termsFiles);
  if (terms !== undefined) throw new JobFailure(licenseRefusal(uri, terms));
}
