// Stands in for a step whose program has been taken over: it tries what a step must not be able to
// do, and says in its output folder how far it came.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';

const output = process.env.SM_NEO_COMPILED_MODEL_DIR;
const { environment } = JSON.parse(readFileSync(process.env.BURNISH_STEP_FILE, 'utf8'));
const targets = JSON.parse(environment.OPTION_TARGETS);

const attempt = (act) => {
  try {
    return act();
  } catch (error) {
    return `failed: ${error.code ?? error.message.split('\n')[0]}`;
  }
};
const shell = (command) =>
  attempt(() => execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: 'pipe' }));

function connect(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
    socket.once('error', (error) => resolve(`failed: ${error.code}`));
  });
}

const findings = {
  read: Object.fromEntries(
    targets.read.map((path) => [path, attempt(() => readFileSync(path, 'utf8'))]),
  ),
  write: Object.fromEntries(
    targets.write.map((path) => [
      path,
      attempt(() => writeFileSync(path, 'intruder') ?? 'written'),
    ]),
  ),
  dataFolder: attempt(() => readdirSync(targets.dataDir).sort()),
  parent: attempt(() => readdirSync(join(process.cwd(), '..', '..')).sort()),
  processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
  kill: attempt(() => process.kill(targets.servicePid, 'SIGKILL') && 'killed'),
  unmount: shell(`umount -l '${targets.dataDir}' && echo unmounted`),
  otherRoot: attempt(() => readdirSync('/proc/1/root').join()),
  environmentOfParent: attempt(() => readFileSync('/proc/1/environ', 'utf8')),
  variables: Object.keys(process.env),
  network: await connect(targets.port),
  input: readFileSync(join(process.env.SM_NEO_INPUT_MODEL_DIR, 'config.json'), 'utf8'),
  link: attempt(() => readFileSync(join(process.env.SM_NEO_INPUT_MODEL_DIR, 'linked'), 'utf8')),
};
writeFileSync(join(output, 'findings.json'), JSON.stringify(findings));
writeFileSync(join(output, 'optimization-report.json'), '{}');
