// `npm run test:fuzz`: hostile input for everything that reads from outside, 100,000 of it and more.
// BURNISH_FUZZ_RUNS says how much for each target, BURNISH_FUZZ_SEED repeats a run.
import { ensureBuilt, runTool } from './ensure-built.mjs';

process.env.BURNISH_FUZZ_RUNS ??= '20000';
ensureBuilt();
runTool('vitest', [
  'run',
  '--project',
  'unit',
  'test/fuzz',
  '--testTimeout',
  '36000000',
  ...process.argv.slice(2),
]);
