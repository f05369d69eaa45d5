// Compiles the program into dist/: the kernels (AssemblyScript) and everything else (TypeScript).
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, runTool } from './ensure-built.mjs';

if (process.argv.includes('--clean')) rmSync(join(root, 'dist'), { recursive: true, force: true });
runTool('tsc', ['-p', 'tsconfig.json']);
runTool('asc', ['src/kernels/assembly/index.ts', '--config', 'src/kernels/assembly/asconfig.json']);
chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755);
