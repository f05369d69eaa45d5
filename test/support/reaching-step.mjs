// Stands in for a step that speaks to others: it tries each of its targets and writes down which it
// reached. Told to hold on, it stays until SIGTERM, and tries again then.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';

const output = process.env.SM_NEO_COMPILED_MODEL_DIR;
const { environment } = JSON.parse(readFileSync(process.env.BURNISH_STEP_FILE, 'utf8'));
const targets = JSON.parse(environment.OPTION_TARGETS);

function reach(target) {
  const [host, port] = target.split(':');
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: Number(port) });
    socket.once('data', (data) => {
      socket.destroy();
      resolve(String(data));
    });
    socket.once('error', (error) => resolve(`failed: ${error.code}`));
  });
}

async function look(name) {
  const found = await Promise.all(targets.map(async (target) => [target, await reach(target)]));
  const file = join(output, name);
  writeFileSync(`${file}.part`, JSON.stringify(Object.fromEntries(found)));
  renameSync(`${file}.part`, file);
}

await look('reached.json');
if (environment.OPTION_HOLD === 'true') {
  const hold = setInterval(() => undefined, 60_000);
  process.once('SIGTERM', () => look('reached-at-the-end.json').then(() => clearInterval(hold)));
}
