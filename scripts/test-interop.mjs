// `npm run test:interop`: drives the service with foreign clients and reads its results with
// foreign readers. They are installed into a Python environment of their own; where that can't be
// had, the suite says so and why.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, root, runTool } from './ensure-built.mjs';

const environment = join(root, '.venv-interop');
const python = join(environment, 'bin', 'python');
const requirements = join(root, 'test', 'interop', 'requirements.txt');

function attempt(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.status === 0) return undefined;
  const output = result.error?.message ?? `${result.stdout}\n${result.stderr}`;
  return output.trim().split('\n').slice(-3).join(' ');
}

/** Why there is no Python environment, or undefined when there is one. */
function preparePython() {
  if (!existsSync(python)) {
    const failure = attempt('python3', ['-m', 'venv', environment]);
    if (failure !== undefined) return `python3 -m venv failed: ${failure}`;
  }
  console.log(`Installing ${requirements} …`);
  return attempt(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
}

ensureBuilt();
const failure = preparePython();
if (failure !== undefined) {
  console.warn(`SKIPPED: the interop suites that need Python, because ${failure}`);
}
runTool('vitest', ['run', '--project', 'interop', ...process.argv.slice(2)], {
  env: { ...process.env, ...(failure === undefined ? { BURNISH_INTEROP_PYTHON: python } : {}) },
});
