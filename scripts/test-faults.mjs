// `npm run test:faults`: kills, full disks, failing stores and a soak. The short form is for CI; a full
// run is BURNISH_FAULT_KILLS=100 BURNISH_SOAK_JOBS=1000 npm run test:faults.
import { ensureBuilt, runTool } from './ensure-built.mjs';

ensureBuilt();
runTool('vitest', [
  'run',
  '--project',
  'faults',
  '--no-file-parallelism',
  ...process.argv.slice(2),
]);
