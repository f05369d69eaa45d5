import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/temporary-folder.js';

export const BURNISH = join(import.meta.dirname, '..', '..', '..', 'dist', 'cli', 'main.js');

export interface Outcome {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home folder with nothing in it but what a test puts there. */
export interface Home {
  readonly path: string;
  /** Writes a file under the folder. */
  write(name: string, content: string): string;
  /** The environment of a user who lives there, with an access key. */
  environment(more?: Readonly<Record<string, string | undefined>>): Record<string, string>;
  burnish(
    args: readonly string[],
    env?: Readonly<Record<string, string | undefined>>,
  ): Promise<Outcome>;
}

export function makeHome(): Home {
  const path = temporaryFolder('home');
  const environment: Home['environment'] = (more = {}) => {
    const all: Readonly<Record<string, string | undefined>> = {
      PATH: process.env.PATH,
      HOME: path,
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'very-secret',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
      ...more,
    };
    return Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  };
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    environment,
    burnish: (args, env) =>
      new Promise((resolve) => {
        const child = execFile(
          process.execPath,
          [BURNISH, ...args],
          { cwd: path, env: environment(env), encoding: 'utf8' },
          (error, stdout, stderr) => {
            resolve({ status: error === null ? 0 : (error.code ?? String(error)), stdout, stderr });
          },
        );
        child.stdin?.end();
      }),
  };
}
