import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The private folders and files of one step, all under the job's own folder of temporary space. */
export interface StepFolders {
  readonly root: string;
  /** Empty at first; holds the result when the step has succeeded. */
  readonly output: string;
  readonly cache: string;
  /** Holds the error file alone, so that a container can be given just that. */
  readonly errors: string;
  /** `{"error": "…"}`, written by the program when it fails. */
  readonly errorFile: string;
  /** The step's technique and settings, read by the program. */
  readonly stepFile: string;
  /** The exit status in decimal digits, written by the program as its last act. */
  readonly exitFile: string;
  /** JSON lines of progress, appended by the program. */
  readonly progressFile: string;
}

/** Names the folders of a step, counted from 0, without touching the disk. */
export function stepFolders(jobFolder: string, step: number): StepFolders {
  const root = join(jobFolder, `step-${step + 1}`);
  return {
    root,
    output: join(root, 'compiled'),
    cache: join(root, 'cache'),
    errors: join(root, 'errors'),
    errorFile: join(root, 'errors', 'errors.json'),
    stepFile: join(root, 'step.json'),
    exitFile: join(root, 'exit-status'),
    progressFile: join(root, 'progress.jsonl'),
  };
}

/** Makes the folders of a step anew: whatever an interrupted attempt left there is removed. */
export async function createStepFolders(folders: StepFolders): Promise<void> {
  await rm(folders.root, { recursive: true, force: true });
  await mkdir(folders.output, { recursive: true });
  await mkdir(folders.cache, { recursive: true });
  await mkdir(folders.errors, { recursive: true });
}
