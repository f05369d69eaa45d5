import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A service in a process of its own, as a user starts it. */
export interface ServiceProcess {
  readonly process: ChildProcess;
  readonly url: string;
}

/** Starts `burnish serve`; fulfilled when it is ready. What it logs goes to this process's stderr. */
export async function startServiceProcess(
  dataDir: string,
  options: readonly string[],
): Promise<ServiceProcess> {
  const child = spawn(
    process.execPath,
    [PROGRAM, 'serve', '--data-dir', dataDir, '--log-level', 'error', ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ready = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')));
    child.once('exit', () => reject(new Error('the service did not start')));
  });
  child.removeAllListeners('exit');
  return { process: child, url: /https?:\S+/.exec(ready)?.[0] ?? '' };
}

/** The access key that the service made on its first start. */
export async function readAccessKey(
  dataDir: string,
): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
  const text = await readFile(join(dataDir, 'credentials'), 'utf8');
  const value = (name: string) => new RegExp(`${name} = (.+)`).exec(text)?.[1] ?? '';
  return {
    accessKeyId: value('aws_access_key_id'),
    secretAccessKey: value('aws_secret_access_key'),
  };
}

/** Resident memory in bytes, and open files, of a process. */
export async function sizeOfProcess(
  pid: number,
): Promise<{ readonly memory: number; readonly files: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const memory = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
  return { memory, files: (await readdir(`/proc/${pid}/fd`)).length };
}
