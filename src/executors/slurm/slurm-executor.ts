import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Executor, ExecutorError, type StepPlace, type StepRequest } from '../executor.js';
import { writeImageRecord } from '../images/image-record.js';
import { mapImage, parseImageReference } from '../images/image-reference.js';
import { prepareContainerStep } from '../lmi-container.js';
import { lmiEnvironment } from '../lmi-environment.js';
import { readExitFile } from '../read-exit-file.js';
import { writeStepFile } from '../step-file.js';
import { type BatchProgram, batchScript } from './batch-script.js';
import { CONTAINER_RUNTIMES, type NodeContainer } from './container-runtimes.js';
import { isLiving, readJob } from './job-state.js';
import { followJob, signalJob } from './running-job.js';
import { runSlurm, runSlurmPatiently } from './slurm-command.js';
import { placementOf, type SlurmOptions } from './slurm-options.js';
import { jobName, submissionArguments } from './submission.js';

/** Whoever creates a job waits for this answer of the controller, in milliseconds. */
const QUESTION_MS = 5_000;
/** How often an ended job is asked for until it is gone from its node, in milliseconds. */
const GONE_MS = 200;

/**
 * Runs steps as batch jobs of a Slurm cluster. The service's data folder has to lie on a file system
 * that the cluster's nodes have at the same place. Accounting is not needed.
 */
export function createSlurmExecutor(options: SlurmOptions): Executor {
  return {
    runsElsewhere: () => true,

    async refusal({ image, network, instanceType }) {
      if (network !== undefined) {
        return 'VpcConfig: Slurm can’t put a step into a network of its own. Leave it out, or run the job where an engine can.';
      }
      if (image !== undefined && options.containerRuntime === undefined) {
        return `Image ${image} needs Apptainer or Enroot on the cluster’s nodes, and neither is configured (executor.slurm.containerRuntime).`;
      }
      try {
        if (image !== undefined) parseImageReference(mapImage(image, options.imageMappings));
        const partitions = await runSlurm(options, 'sinfo', ['-h', '-o', '%R'], QUESTION_MS);
        const wanted = placementOf(instanceType, options.placements)?.partition;
        if (wanted === undefined || partitions.split('\n').includes(wanted)) return undefined;
        return `The Slurm cluster has no partition ${wanted}, which is configured for ${instanceType}.`;
      } catch (error) {
        if (error instanceof ExecutorError) return error.message;
        return `The Slurm cluster does not answer: ${(error as Error).message}`;
      }
    },

    async start(request, signal) {
      const { folders, logFile } = request;
      await mkdir(dirname(logFile), { recursive: true });
      const script = join(folders.root, 'batch.sh');
      await writeFile(script, batchScript(folders, await programOf(request, options)));
      const args = submissionArguments(request, options, script);
      let answer: string;
      try {
        answer = await runSlurmPatiently(options, 'sbatch', args, signal);
      } catch (error) {
        signal.throwIfAborted();
        throw new ExecutorError(`Slurm does not take the step: ${(error as Error).message}`);
      }
      // With several clusters, the cluster's name stands behind the number.
      const id = answer.trim().split(';')[0] ?? '';
      if (!/^\d+$/.test(id)) throw new ExecutorError(`sbatch gave no job number: ${answer.trim()}`);
      await appendFile(logFile, `${new Date().toISOString()} submitted as Slurm job ${id}\n`);
      return followJob(options, id, request);
    },

    async adopt(handle, place) {
      const { slurmJob: id } = handle as { readonly slurmJob: string };
      if ((await readExitFile(place.folders.exitFile)) === undefined) {
        const known = await findJobs(options, place);
        // It may have ended, and still be known, without being in the queue.
        if (!known.includes(id) && (await readJob(options, id)) === undefined) return undefined;
      }
      return followJob(options, id, place);
    },

    async reap(place) {
      for (const id of await findJobs(options, place)) {
        let isGone = false;
        void signalJob(options, id, 'SIGKILL', () => isGone);
        while (!isGone) {
          const job = await readJob(options, id);
          isGone = job === undefined || !isLiving(job);
          await delay(GONE_MS);
        }
      }
    },
  };
}

/** The jobs of a step that are in the queue; their comment is the step's folder. */
async function findJobs(options: SlurmOptions, place: StepPlace): Promise<readonly string[]> {
  const args = ['--noheader', `--name=${jobName(place)}`, '--format=%i %k'];
  const jobs = await runSlurmPatiently(options, 'squeue', args);
  return jobs
    .split('\n')
    .filter((line) => line.slice(line.indexOf(' ') + 1).trim() === place.folders.root)
    .map((line) => line.slice(0, line.indexOf(' ')));
}

async function programOf(request: StepRequest, options: SlurmOptions): Promise<BatchProgram> {
  if (request.image === undefined) return processOf(request, options);
  const runtimeName = options.containerRuntime;
  if (runtimeName === undefined) {
    throw new ExecutorError(
      `Image ${request.image} needs Apptainer or Enroot on the cluster’s nodes, and neither is configured (executor.slurm.containerRuntime).`,
    );
  }
  const image = mapImage(request.image, options.imageMappings);
  const { digest = null } = parseImageReference(image);
  const record = { image: request.image, pulledAs: image, digest, id: null };
  await writeImageRecord(request.folders, record);
  const { environment, mounts } = await prepareContainerStep(request);
  const container: NodeContainer = {
    program: options.containerProgram ?? runtimeName,
    image,
    environment,
    mounts,
    hasGpus: (request.resources?.gpus ?? 0) > 0,
    extraArguments: options.containerArguments,
    scratch: request.folders.root,
  };
  const runtime = CONTAINER_RUNTIMES[runtimeName];
  return {
    prepare: runtime.prepare(container),
    command: runtime.command(container),
    environment: {
      ...programEnvironment(request),
      ...runtime.environment(container),
    },
  };
}

/** The built-in optimizer as a plain process of the node, its settings in a file. */
async function processOf(request: StepRequest, options: SlurmOptions): Promise<BatchProgram> {
  const { folders, resources } = request;
  await writeStepFile(request, request.datasets);
  const cores = Math.max(1, Math.ceil(resources?.cores ?? options.defaultCores));
  return {
    prepare: undefined,
    command: [options.node, options.optimizerProgram],
    environment: {
      ...programEnvironment(request),
      ...lmiEnvironment(request.inputFolder, folders),
      BURNISH_STEP_FILE: folders.stepFile,
      BURNISH_PROGRESS_FILE: folders.progressFile,
      BURNISH_RESUME_DIR: folders.resume,
      BURNISH_THREADS: String(cores),
    },
  };
}

/** What any program of a node needs to find its way. */
function programEnvironment({ folders }: StepRequest): Readonly<Record<string, string>> {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folders.temporary, LANG: 'C.UTF-8' };
}
