import type { StepExit } from '../executor.js';
import { runSlurm, SlurmCommandError } from './slurm-command.js';
import type { SlurmOptions } from './slurm-options.js';

/** What the controller knows of a job. */
export interface SlurmJob {
  /** Such as `PENDING`, `RUNNING` or `NODE_FAIL`. */
  readonly state: string;
  /** Why it waits, or why it ended. */
  readonly reason: string;
  readonly nodes: string;
  /** Exit status and signal, `0:9`. */
  readonly exitCode: string;
  /** How often it was begun again. */
  readonly restarts: number;
}

/** States in which a job has not ended; Slurm's manual of `squeue` lists them all. */
const LIVING_STATES: ReadonlySet<string> = new Set([
  'CONFIGURING',
  'COMPLETING',
  'PENDING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'RESIZING',
  'RESV_DEL_HOLD',
  'RUNNING',
  'SIGNALING',
  'SPECIAL_EXIT',
  'STAGE_OUT',
  'STOPPED',
  'SUSPENDED',
]);

export const isLiving = ({ state }: SlurmJob): boolean => LIVING_STATES.has(state);

/** @returns undefined when the controller has forgotten the job */
export async function readJob(
  options: Pick<SlurmOptions, 'configurationFile'>,
  id: string,
): Promise<SlurmJob | undefined> {
  let text: string;
  try {
    text = await runSlurm(options, 'scontrol', ['show', 'job', '--oneliner', id]);
  } catch (error) {
    const isUnknown =
      error instanceof SlurmCommandError && /Invalid job id specified/.test(error.message);
    if (isUnknown) return undefined;
    throw error;
  }
  const field = (name: string) => new RegExp(`(?:^|\\s)${name}=(\\S*)`).exec(text)?.[1] ?? '';
  return {
    state: field('JobState'),
    reason: field('Reason'),
    nodes: field('NodeList'),
    exitCode: field('ExitCode'),
    restarts: Number(field('Restarts')),
  };
}

/** What the ends of a job that are none of the program's own mean, as sentences. */
const REASONS: Readonly<Record<string, (job: SlurmJob) => string>> = {
  BOOT_FAIL: ({ nodes }) => `The node ${nodes} could not be booted for the step.`,
  CANCELLED: () => 'The step’s Slurm job was cancelled.',
  DEADLINE: () => 'Slurm ended the step at a deadline of its own.',
  NODE_FAIL: ({ nodes }) =>
    `The node ${nodes} died while it ran the step. Create the job again when the cluster has another.`,
  OUT_OF_MEMORY: ({ nodes }) =>
    `The step was killed on ${nodes} because it used more memory than it had asked Slurm for.`,
  PREEMPTED: () => 'Slurm gave the step’s place to another job.',
  TIMEOUT: () => 'Slurm ended the step at its own time limit.',
};

/** How a job ended that left no exit status in its folder. */
export function exitOfJob(job: SlurmJob): StepExit {
  const [code = 0, signal = 0] = job.exitCode.split(':').map(Number);
  const reason = REASONS[job.state]?.(job);
  if (reason !== undefined) return { code: undefined, signal: undefined, reason };
  if (job.state === 'COMPLETED' && code === 0) return { code: 0, signal: undefined };
  if (signal !== 0) {
    const said = `The step was ended by signal ${signal} on ${job.nodes}; its memory may have run out.`;
    return { code: undefined, signal: undefined, reason: said };
  }
  return { code: code === 0 ? undefined : code, signal: undefined };
}
