import { dirname, isAbsolute, join, relative } from 'node:path';
import type { StepRequest } from './executor.js';
import { lmiEnvironment, threadsEnvironment } from './lmi-environment.js';
import { writeStepFile } from './step-file.js';

/** Where a container finds its folders, as SageMaker's own launcher has them. */
export const CONTAINER_PATHS = {
  input: '/opt/ml/model/input',
  output: '/opt/ml/model/compiled',
  cache: '/opt/ml/compilation/cache',
  errors: '/opt/ml/compilation/errors',
  errorFile: '/opt/ml/compilation/errors/errors.json',
  /** Temporary files; on disk, where memory is limited. */
  temporary: '/tmp',
  /**
   * All of a job's folders, for the built-in optimizer alone. Finished layers and the result are in one
   * mount, since files are linked from one to the other, which no two mounts allow.
   */
  job: '/opt/ml/job',
} as const;

/** The built-in optimizer in the image that the project's Dockerfile makes. */
const OPTIMIZER_COMMAND = ['node', '/opt/burnish/dist/optimizer/main.js'] as const;

/** A folder of the host that a container sees. */
export interface ContainerMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** A step as a container of it is set up, whatever the engine. */
export interface ContainerStep {
  /** The contract's variables with the caller's on top; a step of the built-in optimizer has its settings in a file. */
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly ContainerMount[];
  /** What runs instead of the image's own entry point. */
  readonly command: readonly string[] | undefined;
}

/**
 * Says how a step runs in a container under the LMI contract, and leaves the built-in optimizer's
 * settings in its step file, with the container's paths.
 */
export async function prepareContainerStep(request: StepRequest): Promise<ContainerStep> {
  const { folders, inputFolder, image } = request;
  const contract = {
    HOME: CONTAINER_PATHS.temporary,
    ...lmiEnvironment(CONTAINER_PATHS.input, CONTAINER_PATHS),
  };
  const writable = (source: string, target: string) => ({ source, target, readOnly: false });
  const mounts: readonly ContainerMount[] = [
    { source: inputFolder, target: CONTAINER_PATHS.input, readOnly: true },
    writable(folders.output, CONTAINER_PATHS.output),
    writable(folders.cache, CONTAINER_PATHS.cache),
    writable(folders.errors, CONTAINER_PATHS.errors),
    writable(folders.temporary, CONTAINER_PATHS.temporary),
  ];
  if (image !== undefined) {
    return { environment: { ...contract, ...request.environment }, mounts, command: undefined };
  }
  const jobFolder = dirname(folders.root);
  const inside = (path: string) => join(CONTAINER_PATHS.job, relative(jobFolder, path));
  const datasets = Object.fromEntries(
    Object.entries(request.datasets).map(([setting, path]) => [setting, inside(path)]),
  );
  await writeStepFile(request, datasets);
  return {
    environment: {
      ...contract,
      SM_NEO_COMPILED_MODEL_DIR: inside(folders.output),
      BURNISH_STEP_FILE: inside(folders.stepFile),
      BURNISH_PROGRESS_FILE: inside(folders.progressFile),
      BURNISH_EXIT_FILE: inside(folders.exitFile),
      BURNISH_RESUME_DIR: inside(folders.resume),
      ...threadsEnvironment(request.resources?.cores),
    },
    mounts: [
      ...mounts,
      writable(jobFolder, CONTAINER_PATHS.job),
      // Where the source is among the job's folders, it can't be written to by that way either.
      ...(isWithin(inputFolder, jobFolder)
        ? [{ source: inputFolder, target: inside(inputFolder), readOnly: true }]
        : []),
    ],
    command: OPTIMIZER_COMMAND,
  };
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

/** The labels by which an engine's containers are found again: whose step, and in which folder. */
export function stepLabels(request: Pick<StepRequest, 'job' | 'step' | 'folders'>) {
  return {
    'burnish.job': request.job,
    'burnish.step': String(request.step + 1),
    'burnish.folder': request.folders.root,
  } as const;
}
