import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/ensure-built.mjs', import.meta.url));

it('installs nothing into a node_modules that is a link to another folder', async () => {
  const folder = temporaryFolder('linked');
  const [shared, project] = [join(folder, 'shared'), join(folder, 'project')];
  await mkdir(shared);
  await mkdir(join(project, 'scripts'), { recursive: true });
  await writeFile(join(shared, '.package-lock.json'), '{}');
  await utimes(join(shared, '.package-lock.json'), 0, 0);
  await writeFile(join(project, 'package.json'), '{"name":"linked","version":"1.0.0"}');
  await writeFile(join(project, 'package-lock.json'), '{}');
  await symlink(shared, join(project, 'node_modules'));
  const script = join(project, 'scripts', 'ensure-built.mjs');
  await copyFile(SCRIPT, script);
  const code = 'import(process.argv[1]).then(({ ensureInstalled }) => ensureInstalled())';
  const { status, stderr } = spawnSync(process.execPath, ['-e', code, script], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain(`a link to ${shared}`);
  expect(await readdir(shared)).toEqual(['.package-lock.json']);
});
