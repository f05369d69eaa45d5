import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type ImageRecord, readImageRecord } from '../executors/images/image-record.js';
import { stepFolders } from '../executors/step-folders.js';
import { type FileReport, REPORT_FILE, REPORT_VERSION } from '../optimizer/report/types.js';
import { stepsOf, type TechniqueName } from '../service-model/techniques.js';
import type { JobRecord } from '../store/job-record.js';
import { type JobContext, jobFolder } from './job-context.js';
import { sha256Of } from './publish-result.js';

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
  result: string,
): Promise<void> {
  const images: ImageReport[] = [];
  for (const [index, { technique }] of stepsOf(job.request).entries()) {
    const record = await readImageRecord(stepFolders(jobFolder(context, job), index));
    if (record !== undefined) images.push({ step: index + 1, technique, ...record, exitStatus: 0 });
  }
  if (images.length === 0) return;
  const path = join(result, REPORT_FILE);
  const own = { schemaVersion: REPORT_VERSION, complete: true, steps: [] };
  const report = (await readReport(path)) ?? { ...own, files: await describeFiles(result) };
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
async function describeFiles(folder: string): Promise<readonly FileReport[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path !== join(folder, REPORT_FILE))
    .sort();
  const files: FileReport[] = [];
  for (const path of paths) {
    const name = relative(folder, path).split(sep).join('/');
    const { size: bytes } = await stat(path);
    files.push({ name, bytes, sha256: await sha256Of(createReadStream(path)) });
  }
  return files;
}
