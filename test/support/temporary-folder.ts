import { mkdtempSync, type RmOptions } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished, TestRunner } from 'vitest';

/** A process that was killed a moment ago may still put a file into a folder that is being emptied. */
const WHATEVER_IS_IN_IT: RmOptions = { recursive: true, force: true, maxRetries: 5 };

const ofTheFile: string[] = [];

// Registered when the test file imports this, so it runs after all hooks of the file's own.
afterAll(() => Promise.all(ofTheFile.map((folder) => rm(folder, WHATEVER_IS_IN_IT))));

/**
 * A new folder under the machine's temporary one. It is removed, whatever is in it by then, after the
 * test that it was made in (or in whose `beforeEach`), otherwise after the last test of the file.
 *
 * @param name a part of the folder's name, which tells what it was for
 */
export function temporaryFolder(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `burnish-${name}-`));
  if (TestRunner.getCurrentTest() === undefined) ofTheFile.push(folder);
  else onTestFinished(() => rm(folder, WHATEVER_IS_IN_IT));
  return folder;
}
