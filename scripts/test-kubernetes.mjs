// `npm run test:kubernetes`: the executors' suite against a real API server, its controllers and its
// scheduler, with a stand-in node that runs each pod's process. It takes root, for namespaces and mounts.
import { startKubernetes } from './engines/kubernetes.mjs';
import { ensureBuilt, runTool } from './ensure-built.mjs';

ensureBuilt();
let cluster;
try {
  if (process.getuid?.() !== 0) throw new Error('the stand-in node takes root, for its namespaces');
  cluster = await startKubernetes();
} catch (error) {
  console.error(`The Kubernetes suite can't run here: ${error.message}`);
  process.exit(1);
}
process.once('exit', cluster.stop);
const suite = ['run', '--project', 'kubernetes', '--no-file-parallelism', ...process.argv.slice(2)];
runTool('vitest', suite, {
  env: {
    ...process.env,
    BURNISH_TEST_KUBERNETES: cluster.kubeconfig,
    BURNISH_TEST_KUBERNETES_VOLUMES: cluster.volumes,
  },
});
// What was started goes on until it is ended.
process.exit(0);
