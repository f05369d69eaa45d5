import type { StepRequest } from '../executor.js';
import { placementOf, type SlurmOptions } from './slurm-options.js';

const MINUTE_MS = 60_000;
const MIB = 1024 ** 2;

/**
 * The arguments of `sbatch` for a step. Slurm counts
 * time in minutes and looks at limits about once in one, so its limit lies behind the service's deadline
 * and the time to save: it ends what the service, being down, did not.
 *
 * @param now milliseconds since the epoch
 */
export function submissionArguments(
  request: StepRequest,
  options: SlurmOptions,
  script: string,
  now = Date.now(),
): readonly string[] {
  const { deadline, graceMs, resources, deployment, folders, logFile } = request;
  const placement = placementOf(deployment.instanceType, options.placements);
  const graceMinutes = Math.ceil(graceMs / MINUTE_MS);
  const minutes = Math.ceil(Math.max(deadline - now, 0) / MINUTE_MS) + graceMinutes + 1;
  const memoryBytes = resources?.memoryBytes ?? options.defaultMemoryBytes;
  const gpus = resources?.gpus ?? 0;
  const gres = placement?.gres ?? (gpus > 0 ? `gpu:${gpus}` : undefined);
  const optional = {
    partition: placement?.partition,
    constraint: placement?.constraint,
    account: placement?.account,
    qos: placement?.qos,
    gres,
    mem: memoryBytes === undefined ? undefined : `${Math.ceil(memoryBytes / MIB)}M`,
  };
  return [
    '--parsable',
    // The command's own environment, which is next to nothing; any other choice runs a login shell.
    '--export=ALL',
    `--job-name=${jobName(request)}`,
    `--comment=${folders.root}`,
    `--chdir=${folders.root}`,
    `--output=${logFile.replaceAll('%', '%%')}`,
    '--open-mode=append',
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${Math.max(1, Math.ceil(resources?.cores ?? options.defaultCores))}`,
    `--time=${minutes}`,
    // To the script alone, which hands it on: a plain signal would go to steps of srun's only.
    `--signal=B:TERM@${Math.ceil(graceMs / 1000)}`,
    options.requeue ? '--requeue' : '--no-requeue',
    ...Object.entries(optional).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
    script,
  ];
}

/** How Slurm's own listings call a step. */
export function jobName({ job, step }: Pick<StepRequest, 'job' | 'step'>): string {
  return `burnish-${job}-${step + 1}`;
}
