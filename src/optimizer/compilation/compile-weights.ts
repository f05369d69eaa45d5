import type { KernelPool } from '../../kernels/index.js';
import { takeFingerprint } from '../resuming/fingerprint.js';
import { finishTensors } from '../resuming/finish-tensors.js';
import { keepingFinished, workFolder } from '../resuming/finished-work.js';
import type { StepRun } from '../step-frame.js';
import type { PreparedCompilation } from './prepare.js';
import { bytesOfWeight, nameOfWeight } from './weights/planned-weight.js';
import { weightFileOf, writeGraphWeights } from './write-graph.js';

/** Writes the weights of the graph, but for what an earlier attempt finished, and puts their file into a
 * folder. What is finished is kept where the run has a folder that outlives it.
 * @throws MemoryError, CheckpointError, CompilationError; the signal's reason when it aborts. */
export async function compileWeights(
  run: StepRun,
  { checkpoint, graph, settings }: PreparedCompilation,
  pool: KernelPool,
  folder: string,
): Promise<void> {
  const { resumeFolder, log, signal } = run;
  const file = weightFileOf(graph, workFolder(resumeFolder, folder));
  const fingerprint = () => takeFingerprint(checkpoint, settings.effective, undefined, signal);
  const options = { resumeFolder, output: folder, files: [file], fingerprint, log, signal };
  await keepingFinished(options, async (finished) => {
    await finishTensors(run, finished, {
      phase: 'compiling',
      tasks: graph.weights,
      nameOf: nameOfWeight,
      bytesOf: bytesOfWeight,
      execute: (weights, onWritten) =>
        writeGraphWeights(checkpoint, weights, file.path, { pool, signal, onWritten }),
    });
    await finished.install(folder);
  });
}
