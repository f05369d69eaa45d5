// Takes out of node_modules, in an image, what this system can't use: programs for other systems, and
// what is for compilers and debuggers alone. Two thirds of the installed bytes are that.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './ensure-built.mjs';

const modules = join(root, 'node_modules');
const { platform, arch } = process;
const remove = (...path) => rmSync(join(modules, ...path), { recursive: true, force: true });

// ONNX Runtime's package has the libraries of all systems.
const libraries = ['onnxruntime-node', 'bin', 'napi-v6'];
for (const system of readdirSync(join(modules, ...libraries))) {
  if (system !== platform) remove(...libraries, system);
}
for (const machine of readdirSync(join(modules, ...libraries, platform))) {
  if (machine !== arch) remove(...libraries, platform, machine);
}

// SQLite comes for both C libraries of Linux.
const usesGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
remove('@libsql', `${platform}-${arch}-${usesGlibc ? 'musl' : 'gnu'}`);

for (const file of readdirSync(modules, { recursive: true })) {
  if (/\.d\.[cm]?ts$|\.map$/.test(file)) remove(file);
}
