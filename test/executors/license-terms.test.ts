import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLicenseTerms } from '#burnish/executors/staging/license-terms.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'burnish-terms-'));
});

afterEach(() => rm(folder, { recursive: true }));

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
