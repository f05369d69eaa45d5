// `npm run test:browser`: a compiled model in a real headless browser. The browser is Debian's Chromium,
// or the one that CHROMIUM names.
import { existsSync } from 'node:fs';
import { installPackages } from './engines/apt.mjs';
import { ensureBuilt, runTool } from './ensure-built.mjs';

const DEBIANS = '/usr/bin/chromium';

ensureBuilt();
const browser = process.env.CHROMIUM ?? DEBIANS;
if (!existsSync(browser)) {
  const reason = browser === DEBIANS ? installPackages('chromium') : 'there is no such program';
  if (reason !== undefined) {
    console.warn(`SKIPPED: the browser suite needs ${browser}, but ${reason}`);
    process.exit(0);
  }
}
runTool('vitest', ['run', '--project', 'browser', ...process.argv.slice(2)], {
  env: { ...process.env, BURNISH_TEST_CHROMIUM: browser },
});
