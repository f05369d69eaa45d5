// `npm run test:image`: the project's own Dockerfile built to its end, the service and the built-in
// optimizer run in the image. The base image is made of this machine's own Node, so that no registry of
// images is needed; packages come from where npm has them here.
import { spawnSync } from 'node:child_process';
import { ensurePrograms } from './engines/apt.mjs';
import { startEngine } from './engines/docker.mjs';
import { ensureBuilt, root, runTool } from './ensure-built.mjs';

ensureBuilt();
const { status } = spawnSync('npm', ['ping'], { cwd: root, stdio: 'ignore', timeout: 60_000 });
if (status !== 0) skip('npm’s registry does not answer, which the image’s packages come from');
let engine;
try {
  engine = await startEngine();
  process.once('exit', engine.stop);
  ensurePrograms({ docker: 'docker.io' });
} catch (error) {
  skip(error.message);
}
const suite = ['run', '--project', 'image', ...process.argv.slice(2)];
runTool('vitest', suite, {
  env: {
    ...process.env,
    BURNISH_TEST_DOCKER_SOCKET: engine.socket,
    BURNISH_TEST_REGISTRY: JSON.stringify(engine.registry),
  },
});

function skip(reason) {
  console.warn(`SKIPPED: the image’s suite, because ${reason}`);
  process.exit(0);
}
