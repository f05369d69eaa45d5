import { writeFile } from 'node:fs/promises';
import type { StepRequest } from './executor.js';

/**
 * Hands the built-in optimizer its settings: as data in a file, never as variables of its environment.
 * @param datasets local texts by setting, with paths as the program sees them
 */
export function writeStepFile(
  { folders, technique, environment, deployment }: StepRequest,
  datasets: StepRequest['datasets'],
): Promise<void> {
  const step = { technique, environment, datasets, deployment };
  return writeFile(folders.stepFile, JSON.stringify(step));
}
