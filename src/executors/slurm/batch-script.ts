import type { StepFolders } from '../step-folders.js';

/** What a batch job runs. */
export interface BatchProgram {
  /** Runs first; the step fails when it does. */
  readonly prepare: readonly string[] | undefined;
  readonly command: readonly string[];
  /** The whole environment of the program, beside what the cluster says of GPUs. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Variables by which a cluster tells a job which GPUs are its own. */
const CLUSTER_VARIABLES = ['CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES', 'TMPDIR'] as const;

/**
 * The batch script of a step: it runs the program in an environment of its own and notes the exit
 * status in the step's folder, since accounting may be absent and the controller forgets ended jobs.
 *
 * SIGTERM comes to the program and to this script alike (`scancel --full`); SIGUSR1 comes to the script
 * alone, from Slurm's own limit, and is handed on as SIGTERM. A job that runs again because its node
 * died begins with an empty result.
 */
export function batchScript(folders: StepFolders, program: BatchProgram): string {
  const { output, exitFile } = folders;
  const own = Object.entries(program.environment).map(([name, value]) => quote(`${name}=${value}`));
  const clusters = CLUSTER_VARIABLES.map((name) => `\${${name}:+"${name}=$${name}"}`);
  const start = `env -i ${[...clusters, ...own].join(' ')}`;
  const run = (command: readonly string[]) => `${start} ${command.map(quote).join(' ')}`;
  const status = quote(`${exitFile}.partial`);
  return `#!/bin/sh
if [ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  find ${quote(output)} -mindepth 1 -delete
fi
finish() {
  printf %s "$1" > ${status} && mv ${status} ${quote(exitFile)}
  exit "$1"
}
trap : TERM
${program.prepare === undefined ? '' : `${run(program.prepare)} || finish "$?"\n`}${run(program.command)} &
child=$!
trap 'kill -TERM "$child"' USR1
while :; do
  wait "$child"
  status=$?
  kill -0 "$child" 2>/dev/null || break
done
finish "$status"
`;
}

/** A word of a POSIX shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
