// `npm run test:isolation`: the isolation of steps that run as processes, with slirp4netns, which
// connects those that may reach some addresses. The same tests are part of `npm test`, where what needs
// a program that the machine lacks is skipped.
import { installPackages } from './engines/apt.mjs';
import { ensureBuilt, runTool } from './ensure-built.mjs';

ensureBuilt();
const fault = installPackages('slirp4netns', 'iproute2');
if (fault !== undefined) console.warn(`Going on with what there is: ${fault}`);
const files = ['test/executors/isolation.test.ts', 'test/executors/uplink.test.ts'];
runTool('vitest', ['run', '--project', 'unit', ...files, ...process.argv.slice(2)]);
