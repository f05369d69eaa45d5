import type { StepFolders } from './step-folders.js';

/**
 * The environment that a Large Model Inference container expects of an optimization step, with
 * paths as the step's program sees them. The caller's own variables are not in it: in a container
 * they come on top, on the host they are handed over as data, because there a variable such as
 * `NODE_OPTIONS` would be code execution.
 *
 * Source: the partition entry point of deepjavalibrary/djl-serving.
 */
export function lmiEnvironment(
  inputFolder: string,
  folders: Pick<StepFolders, 'output' | 'cache' | 'errorFile'>,
): Readonly<Record<string, string>> {
  return {
    SM_NEO_EXECUTION_CONTEXT: '1',
    SM_NEO_INPUT_MODEL_DIR: inputFolder,
    SM_NEO_COMPILED_MODEL_DIR: folders.output,
    SM_NEO_COMPILATION_ERROR_FILE: folders.errorFile,
    SM_NEO_CACHE_DIR: folders.cache,
    SM_NEO_HF_CACHE_DIR: folders.cache,
    COMPILER_OPTIONS: '{}',
  };
}

/** How many threads the built-in optimizer has; one that is told nothing takes all cores of the machine. */
export function threadsEnvironment(cores: number | undefined): Readonly<Record<string, string>> {
  return cores === undefined ? {} : { BURNISH_THREADS: String(Math.max(1, Math.floor(cores))) };
}
