// `npm test`: everything that needs no engine or foreign client of its own, on a fresh clone too.
import { ensureBuilt, runTool } from './ensure-built.mjs';

ensureBuilt();
runTool('biome', ['ci', '--error-on-warnings', '.']);
runTool('tsc', ['--noEmit', '-p', 'tsconfig.test.json']);
runTool('vitest', ['run', '--project', 'unit', ...process.argv.slice(2)]);
