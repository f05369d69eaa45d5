import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageRecord, readImageRecord } from '../executors/images/image-record.js';
import { describeFiles } from '../executors/staging/describe-files.js';
import { type StepFolders, stepFolders } from '../executors/step-folders.js';
import { readResultObjects } from '../executors/step-objects.js';
import { type FileReport, REPORT_FILE, REPORT_VERSION } from '../optimizer/report/types.js';
import { stepsOf, type TechniqueName } from '../service-model/techniques.js';
import type { JobRecord } from '../store/job-record.js';
import { type JobContext, jobFolder } from './job-context.js';

/** The most of a report that is read; one of a model of 1,000 layers has a hundredth. */
const MAX_REPORT_BYTES = 64 * 1024 ** 2;

/** What the report says of a step that ran in an image. */
interface ImageReport extends ImageRecord {
  /** Which step, counted from 1. */
  readonly step: number;
  readonly technique: TechniqueName;
  /** Always 0: a step that fails has no result. */
  readonly exitStatus: 0;
}

/**
 * Adds to the report of a result which images made it. An image that left no report, or none that can
 * be read, gets one of the service's own, with the checksums of its files.
 */
export async function reportImages(
  context: JobContext,
  job: JobRecord,
  result: StepFolders,
): Promise<void> {
  const images: ImageReport[] = [];
  for (const [index, { technique }] of stepsOf(job.request).entries()) {
    const record = await readImageRecord(stepFolders(jobFolder(context, job), index));
    if (record !== undefined) images.push({ step: index + 1, technique, ...record, exitStatus: 0 });
  }
  if (images.length === 0) return;
  const path = join(result.output, REPORT_FILE);
  const own = { schemaVersion: REPORT_VERSION, complete: true, steps: [] };
  const report = (await readReport(path)) ?? { ...own, files: await filesOf(result) };
  await writeFile(path, `${JSON.stringify({ ...report, images }, undefined, 2)}\n`);
}

async function readReport(path: string): Promise<object | undefined> {
  try {
    if ((await stat(path)).size > MAX_REPORT_BYTES) return undefined;
    const report: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof report === 'object' && report !== null && !Array.isArray(report)
      ? report
      : undefined;
  } catch {
    return undefined;
  }
}

/** Every file of a result but its report. */
async function filesOf(folders: StepFolders): Promise<readonly FileReport[]> {
  const objects = await readResultObjects(folders);
  const files =
    objects?.map(({ name, size, sha256 }) => ({ name, bytes: size, sha256 })) ??
    (await describeFiles(folders.output));
  return files.filter(({ name }) => name !== REPORT_FILE);
}
