import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { findLicenseTerms } from '#burnish/executors/staging/license-terms.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: string;

beforeEach(async () => {
  folder = temporaryFolder('terms');
});

describe('findLicenseTerms', () => {
  it.each([
    ['EULA', 'EULA'],
    ['eula.md', 'eula.md'],
    ['llamaEula.txt', 'llamaEula.txt'],
    ['fmhMetadata/eula/llamaEula.txt', 'fmhMetadata/eula/llamaEula.txt'],
    ['LICENSE', undefined],
    ['eulalia.txt', undefined],
    ['a/b/c/EULA', undefined],
  ])('%s', async (name, found) => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
    expect(await findLicenseTerms(folder)).toBe(found);
  });

  it('looks for the names that it is given, as they are but for *', async () => {
    await writeFile(join(folder, 'EULA'), '');
    await writeFile(join(folder, 'terms (v2).txt'), '');
    expect(await findLicenseTerms(folder, ['TERMS (v*).txt'])).toBe('terms (v2).txt');
    expect(await findLicenseTerms(folder, ['terms .v2..txt', 'erms*'])).toBeUndefined();
    expect(await findLicenseTerms(folder, [])).toBeUndefined();
  });
});
