// Runs the optimization program on a step as an executor does, and `cp` beside it, each timed whole.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { timeProcess } from './measure.mjs';

const PROGRAM = fileURLToPath(new URL('../../dist/optimizer/main.js', import.meta.url));

/** Runs one step in a folder of its own under `root`; the result lies in `output` until the next. */
export async function timeStep(root, source, technique, environment) {
  const folder = join(root, 'step');
  rmSync(folder, { recursive: true, force: true });
  const output = join(folder, 'compiled');
  mkdirSync(output, { recursive: true });
  const stepFile = join(folder, 'step.json');
  writeFileSync(stepFile, JSON.stringify({ technique, environment, datasets: {} }));
  const whole = await timeProcess(process.execPath, [PROGRAM], {
    env: {
      PATH: process.env.PATH,
      SM_NEO_INPUT_MODEL_DIR: source,
      SM_NEO_COMPILED_MODEL_DIR: output,
      SM_NEO_COMPILATION_ERROR_FILE: join(folder, 'errors.json'),
      BURNISH_STEP_FILE: stepFile,
      BURNISH_PROGRESS_FILE: join(folder, 'progress.jsonl'),
    },
  });
  return { ...whole, output };
}

/** Copies a file within `root`, and removes the copy. */
export async function timeCopy(root, file) {
  const target = join(root, 'copy.safetensors');
  rmSync(target, { force: true });
  const result = await timeProcess('cp', [file, target]);
  rmSync(target);
  return result;
}
