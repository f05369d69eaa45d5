import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ConfigurationFileError,
  readConfigurationFile,
} from '#burnish/server/configuration-file/read-configuration-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The files that a page of the documentation shows; what is indented belongs to `executor`. */
function documented(page: string): string[] {
  const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8');
  return [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) =>
    block.startsWith(' ') ? `executor:\n${block}` : block,
  );
}

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

  it('counts bytes beyond 32 bits', async () => {
    const limits = { logs: { maxTotalBytes: 2 ** 40 }, checkpoints: { maxTotalBytes: 2 ** 41 } };
    expect(await read(JSON.stringify(limits))).toEqual(limits);
  });

  it.each(
    ['operating', 'security'].flatMap((page) =>
      documented(page).map((text, at) => [`${page}.md, ${at + 1}`, text]),
    ),
  )('takes what docs/%s shows', async (_page, text) => {
    await expect(read(text)).resolves.toBeDefined();
  });

  it.each([
    ['licence: {}', /no setting licence; what there is: .*license/],
    ['license: { termFiles: [] }', /no setting license\.termFiles; what there is: termsFiles/],
    ['license: { termsFiles: [""] }', /license\.termsFiles\.1\.member/],
    ['license: 3', /burnish\.yaml: license: Expected structure/],
    ['7', /burnish\.yaml: the file: /],
    ['executor: { imageMappings: [{ from: a, to: 3 }] }', /executor\.imageMappings\.0\.to: NUMBER/],
    [
      'logs: { maxTotalBytes: 1e30 }',
      /logs\.maxTotalBytes: NUMBER_VALUE cannot be converted to Long/,
    ],
    ['scheduling: { memoryBytes: -1 }', /scheduling\.memoryBytes/],
    ['scheduling: { memoryBytes: .inf }', /scheduling\.memoryBytes/],
    ['executor: { docker: { memoryBytes: -1 } }', /executor\.docker\.memoryBytes/],
    ['executor: { slurm: { defaultCores: 0 } }', /executor\.slurm\.defaultCores/],
    ['nodes: { leaseSeconds: 3000000000 }', /nodes\.leaseSeconds: .* Integer/],
    ['license: [', /burnish\.yaml/],
    [`x: &x [1]\ny: [${'*x, '.repeat(200)}]`, /alias/],
  ])('refuses %s', async (text, message) => {
    await expect(read(text)).rejects.toThrow(ConfigurationFileError);
    await expect(read(text)).rejects.toThrow(message);
  });
});
