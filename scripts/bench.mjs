// `npm run bench [-- name …]`: every benchmark under bench/, or those whose path contains a name.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, root, run } from './ensure-built.mjs';

const ENDING = '.bench.mjs';

const folder = join(root, 'bench');
const all = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(ENDING));
const wanted = process.argv.slice(2);
const chosen = all.filter((name) => wanted.length === 0 || wanted.some((it) => name.includes(it)));
if (chosen.length === 0) {
  console.error(`No benchmark is called that. There are: ${all.sort().join(', ')}`);
  process.exit(1);
}
ensureBuilt();
for (const name of chosen.sort()) {
  console.log(`\n## ${name.slice(0, -ENDING.length)}\n`);
  run(process.execPath, [join(folder, name)]);
}
