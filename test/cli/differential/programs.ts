import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

export interface AwsCli {
  readonly aws: string;
  /** Missing where the program is no Python script. */
  readonly python?: string;
  readonly dataPath: string;
}

/** The AWS CLI v2 with the newest API, installed where need be; or why there is none. */
export function findAwsCli(): AwsCli | string {
  const script = join(root, 'scripts', 'interop', 'install-aws-cli-v2.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout);
  return stdout.trim() || stderr.trim();
}

export interface Outcome {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in a folder with nothing of this machine's configuration. */
export function run(
  program: string,
  args: readonly string[],
  folder: string,
  dataPath: string,
): Promise<Outcome> {
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: folder,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    AWS_DATA_PATH: dataPath,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_REGION: 'us-east-1',
    AWS_PAGER: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { cwd: folder, env, encoding: 'utf8' },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : (error.code ?? String(error)), stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}

export const BURNISH = join(root, 'dist', 'cli', 'main.js');
