// `npm run test:postgres`: the job store on a real PostgreSQL, and several service nodes on one
// database that are killed again and again. The full form is 300 jobs; BURNISH_NODE_JOBS=40 is for CI.
import { startCluster } from './engines/postgres.mjs';
import { ensureBuilt, runTool } from './ensure-built.mjs';

ensureBuilt();
let cluster;
try {
  cluster = await startCluster();
} catch (error) {
  console.error(`The PostgreSQL suite can't run here: ${error.message}`);
  process.exit(1);
}
process.once('exit', cluster.stop);
const suite = ['run', '--project', 'postgres', '--no-file-parallelism', ...process.argv.slice(2)];
runTool('vitest', suite, { env: { ...process.env, BURNISH_TEST_POSTGRES: cluster.url } });
