/** The built-in optimization program. It is started like a container of one optimization step: it sees
 * an input folder, an output folder and settings, and knows nothing of who started it. Exit status: 0
 * when the result is whole, 143 when it was told to stop, 1 for everything else; then the error file
 * says why. */
import { writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readContract } from './contract.js';
import { describeFailure } from './failure.js';
import { printable } from './printable.js';
import { Progress } from './progress.js';
import { runStep } from './step.js';

const STOPPED = 'stopped';
/** 128 and the number of SIGTERM, as shells report it. */
const STOPPED_STATUS = 143;

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => stop.abort(new Error(STOPPED)));
}

async function main(): Promise<number> {
  try {
    const contract = await readContract(process.env);
    await runStep(contract, {
      progress: Progress.toFile(contract.progressFile),
      log: (line) => process.stdout.write(`${new Date().toISOString()} ${printable(line)}\n`),
      signal: stop.signal,
    });
    return 0;
  } catch (error) {
    const stopped = stop.signal.aborted;
    const { message, detail } = stopped
      ? { message: STOPPED, detail: undefined }
      : describeFailure(error);
    process.stderr.write(`${message}\n${detail === undefined ? '' : `${detail}\n`}`);
    await writeErrorFile(process.env.SM_NEO_COMPILATION_ERROR_FILE, message);
    return stopped ? STOPPED_STATUS : 1;
  }
}

async function writeErrorFile(path: string | undefined, text: string): Promise<void> {
  if (path === undefined || path === '') return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify({ error: text }));
}

process.on('exit', (status) => {
  const path = process.env.BURNISH_EXIT_FILE;
  // For whoever started the program and was itself restarted since: it can't wait for a child any more.
  if (path !== undefined && path !== '') writeFileSync(path, String(status));
});
process.exitCode = await main();
