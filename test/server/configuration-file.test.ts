import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ConfigurationFileError,
  readConfigurationFile,
} from '#burnish/server/configuration-file/read-configuration-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

async function read(text: string) {
  const file = join(temporaryFolder('configuration'), 'burnish.yaml');
  await writeFile(file, text);
  return readConfigurationFile(file);
}

describe('readConfigurationFile', () => {
  it('reads YAML and JSON', async () => {
    const expected = { license: { termsFiles: ['TERMS*', 'LICENSE'] } };
    expect(await read('license:\n  termsFiles: [TERMS*, LICENSE]\n')).toEqual(expected);
    expect(await read(JSON.stringify(expected))).toEqual(expected);
    expect(await read('# nothing yet\n')).toEqual({});
  });

  it.each([
    ['licence: {}', /no setting licence; what there is: .*license/],
    ['license: { termFiles: [] }', /no setting license\.termFiles; what there is: termsFiles/],
    ['license: { termsFiles: [""] }', /license\.termsFiles\.1\.member/],
    ['license: 3', /burnish\.yaml/],
    ['license: [', /burnish\.yaml/],
    [`x: &x [1]\ny: [${'*x, '.repeat(200)}]`, /alias/],
  ])('refuses %s', async (text, message) => {
    await expect(read(text)).rejects.toThrow(ConfigurationFileError);
    await expect(read(text)).rejects.toThrow(message);
  });
});
