import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';

const REPORT = 'optimization-report.json';

/**
 * Holds a published folder to its own report: the files that it names and no other, each with its checksum.
 * @returns the report
 */
export async function expectWhole(folder: string) {
  const report = JSON.parse(await readFile(join(folder, REPORT), 'utf8'));
  const named = report.files.map((file: { readonly name: string }) => file.name);
  expect((await readdir(folder)).sort()).toEqual([...named, REPORT].sort());
  for (const { name, bytes, sha256 } of report.files) {
    const content = await readFile(join(folder, name));
    expect(content.length, name).toBe(bytes);
    expect(createHash('sha256').update(content).digest('hex'), name).toBe(sha256);
  }
  return report;
}
