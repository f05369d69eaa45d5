// Makes a fresh clone ready: installs what package-lock.json names, and compiles.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a program in the project's root and ends this process when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) {
    console.error(`${command} could not be started: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs a tool that a dependency installed. */
export function runTool(tool, args, options) {
  run(join(root, 'node_modules', '.bin', tool), args, options);
}

/** Installs when node_modules is missing or older than the lock file. */
export function ensureInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = statSync(join(root, 'package-lock.json')).mtimeMs;
  if (existsSync(installed) && statSync(installed).mtimeMs >= lock) return;
  refuseLinkedModules();
  console.log('Installing dependencies …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Installing would empty the folder behind a link, which others may work with. */
function refuseLinkedModules() {
  const modules = join(root, 'node_modules');
  if (!lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  console.error(
    `node_modules is older than package-lock.json, and a link to ${readlinkSync(modules)}, which others may share. Run \`npm ci\` where it lies, or remove the link to have one of your own.`,
  );
  process.exit(1);
}

/** Installs where needed, and compiles. */
export function ensureBuilt() {
  ensureInstalled();
  run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}
