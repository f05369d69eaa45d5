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
  /** Temporary files of the program, where it has no temporary folder of its own. */
  readonly temporary: string;
  /** `{"error": "…"}`, written by the program when it fails. */
  readonly errorFile: string;
  /** The step's technique and settings, read by the program. */
  readonly stepFile: string;
  /** The exit status in decimal digits, written by the program as its last act. */
  readonly exitFile: string;
  /** Finished layers, which outlive an attempt: not among what is made anew for each. */
  readonly resume: string;
  /** JSON lines of progress, appended by the program. */
  readonly progressFile: string;
  /** Which image the step ran in, noted by the executor. */
  readonly imageFile: string;
  /** What the step has left in an object store instead of its folder, noted by the executor. */
  readonly objectsFile: string;
}

/** Holds the finished layers of all steps of a job. */
export const keptFolder = (jobFolder: string): string => join(jobFolder, 'kept');

/** Names the folders of a step, counted from 0, without touching the disk. */
export function stepFolders(jobFolder: string, step: number): StepFolders {
  const root = join(jobFolder, `step-${step + 1}`);
  return {
    root,
    output: join(root, 'compiled'),
    cache: join(root, 'cache'),
    errors: join(root, 'errors'),
    temporary: join(root, 'tmp'),
    errorFile: join(root, 'errors', 'errors.json'),
    stepFile: join(root, 'step.json'),
    exitFile: join(root, 'exit-status'),
    resume: join(keptFolder(jobFolder), `step-${step + 1}`),
    progressFile: join(root, 'progress.jsonl'),
    imageFile: join(root, 'image.json'),
    objectsFile: join(root, 'objects.json'),
  };
}

/** Makes the folders of a step anew: whatever an interrupted attempt left there is removed. */
export async function createStepFolders(folders: StepFolders): Promise<void> {
  await rm(folders.root, { recursive: true, force: true });
  const { output, cache, errors, temporary, resume } = folders;
  for (const folder of [output, cache, errors, temporary, resume]) {
    await mkdir(folder, { recursive: true });
  }
}
