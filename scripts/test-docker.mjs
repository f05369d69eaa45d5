// `npm run test:docker`: steps in containers of a real Docker engine. It is Debian's, started for the
// suite alone; the images are made of this machine's own Node, so that no registry is needed.
import { startEngine } from './engines/docker.mjs';
import { ensureBuilt, runTool } from './ensure-built.mjs';

ensureBuilt();
let engine;
try {
  engine = await startEngine();
} catch (error) {
  console.warn(`SKIPPED: the Docker suite, because ${error.message}`);
  process.exit(0);
}
process.once('exit', engine.stop);
const { socket, registry } = engine;
const suite = ['run', '--project', 'docker', '--no-file-parallelism', ...process.argv.slice(2)];
runTool('vitest', suite, {
  env: {
    ...process.env,
    BURNISH_TEST_DOCKER_SOCKET: socket,
    BURNISH_TEST_REGISTRY: JSON.stringify(registry),
  },
});
