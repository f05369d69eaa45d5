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
 * The signal by which the script is asked to kill the program at once. Slurm takes SIGKILL itself for a
 * cancellation, and waits for its KillWait.
 */
export const KILL_REQUEST = 'USR2';

/**
 * The batch script of a step: it runs the program in an environment and a process group of its own and
 * notes the exit status in the step's folder, since accounting may be absent and the controller forgets
 * ended jobs.
 *
 * Signals come to this script alone, which hands them on to the program's group. A job that runs again
 * because its node died begins with an empty result.
 */
export function batchScript(folders: StepFolders, program: BatchProgram): string {
  const { output, exitFile } = folders;
  const own = Object.entries(program.environment).map(([name, value]) => quote(`${name}=${value}`));
  const clusters = CLUSTER_VARIABLES.map((name) => `\${${name}:+"${name}=$${name}"}`);
  const start = `setsid env -i ${[...clusters, ...own].join(' ')}`;
  const run = (command: readonly string[]) => `${start} ${command.map(quote).join(' ')} &\nfollow`;
  const partial = quote(`${exitFile}.partial`);
  return `#!/bin/sh
child=
trap '[ -z "$child" ] || kill -TERM "-$child"' TERM
trap '[ -z "$child" ] || kill -KILL "-$child"' ${KILL_REQUEST}
follow() {
  child=$!
  while :; do
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null || break
  done
}
finish() {
  printf %s "$status" > ${partial} && mv ${partial} ${quote(exitFile)}
  exit "$status"
}
if [ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  find ${quote(output)} -mindepth 1 -delete
fi
${program.prepare === undefined ? '' : `${run(program.prepare)}\n[ "$status" = 0 ] || finish\n`}${run(program.command)}
finish
`;
}

/** A word of a POSIX shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
