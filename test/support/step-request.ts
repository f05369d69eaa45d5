import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepRequest } from '#burnish/executors/executor.js';
import { createStepFolders, stepFolders } from '#burnish/executors/step-folders.js';

/** The first step of a job, its folders made below `folder` and its source a checkpoint in name only. */
export async function stepRequest(
  folder: string,
  job: string,
  change: Partial<StepRequest>,
): Promise<StepRequest> {
  const inputFolder = join(folder, job, 'source');
  const folders = stepFolders(join(folder, job), 0);
  await mkdir(inputFolder, { recursive: true });
  await writeFile(join(inputFolder, 'config.json'), '{}');
  await createStepFolders(folders);
  return {
    job,
    step: 0,
    technique: 'quantization',
    environment: {},
    deployment: { instanceType: 'ml.g5.xlarge', accelerator: 'A10G', count: 1, memoryGb: 24 },
    datasets: {},
    inputFolder,
    folders,
    logFile: join(folder, 'logs', job, '1-quantization.log'),
    deadline: Date.now() + 3_600_000,
    graceMs: 2_000,
    ...change,
  };
}
