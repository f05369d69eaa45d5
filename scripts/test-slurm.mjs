// `npm run test:slurm`: steps as batch jobs of a real Slurm cluster. It is Debian's, two nodes of it on
// this machine, started for the suite alone.
import { startCluster } from './engines/slurm.mjs';
import { ensureBuilt, runTool } from './ensure-built.mjs';

ensureBuilt();
let cluster;
try {
  cluster = await startCluster();
} catch (error) {
  console.warn(`SKIPPED: the Slurm suite, because ${error.message}`);
  process.exit(0);
}
process.once('exit', cluster.stop);
const suite = ['run', '--project', 'slurm', '--no-file-parallelism', ...process.argv.slice(2)];
const { folder, configurationFile } = cluster;
const test = { BURNISH_TEST_SLURM: JSON.stringify({ folder, configurationFile }) };
runTool('vitest', suite, { env: { ...process.env, ...test } });
