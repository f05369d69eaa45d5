import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkStepOutput } from '#burnish/executors/images/check-step-output.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let folder: string;

beforeEach(async () => {
  folder = temporaryFolder('output');
  await mkdir(join(folder, 'a', 'b'), { recursive: true });
  await writeFile(join(folder, 'a', 'b', 'file'), '');
});

describe('checkStepOutput', () => {
  it('takes files in folders', () => expect(checkStepOutput(folder)).resolves.toBeUndefined());

  it.each(['/etc/passwd', 'b/file', '/nowhere'])('refuses a link to %s', async (target) => {
    await symlink(target, join(folder, 'a', 'link'));
    await expect(checkStepOutput(folder)).rejects.toThrow('a/link in its result, which is a symb');
  });

  it('refuses a pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(checkStepOutput(folder)).rejects.toThrow('pipe in its result, which is no reg');
  });

  it('refuses folders without end', async () => {
    await mkdir(join(folder, ...Array.from({ length: 40 }, () => 'd')), { recursive: true });
    await expect(checkStepOutput(folder)).rejects.toThrow('folders more than 32 deep');
  });
});
