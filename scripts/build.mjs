// Compiles the program into dist/: the kernels (AssemblyScript) and everything else (TypeScript).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function run(tool, args) {
  const result = spawnSync(join(root, 'node_modules', '.bin', tool), args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

run('tsc', ['-p', 'tsconfig.json']);
if (existsSync(join(root, 'src/kernels/assembly/index.ts'))) {
  run('asc', ['src/kernels/assembly/index.ts', '--config', 'src/kernels/assembly/asconfig.json']);
}
