import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, MAX_JSON_BYTES, parseJson } from '../checkpoint/json.js';
import { type OptimizationReport, REPORT_FILE } from '../optimizer/report/types.js';

/** What the service knows of a result and its step does not. */
export type ReportAmendment = Partial<Pick<OptimizationReport, 'complete' | 'transientFaults'>>;

/** Adds to the report in a folder. What is no report, as an image may leave it, stays as it is. */
export async function amendReport(folder: string, amendment: ReportAmendment): Promise<void> {
  const path = join(folder, REPORT_FILE);
  const { size } = await stat(path);
  if (size > MAX_JSON_BYTES) return;
  const report = readReport(await readFile(path, 'utf8'));
  if (report === undefined) return;
  const draft = join(folder, `.${REPORT_FILE}`);
  await writeFile(draft, `${JSON.stringify({ ...report, ...amendment }, null, 2)}\n`);
  await rename(draft, path);
}

function readReport(text: string): object | undefined {
  try {
    const value = parseJson(text, { what: REPORT_FILE });
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
