import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type IsolationKind, isolatedCommand } from './isolate-step.js';

/** Far more than making a few namespaces takes. */
const PROBE_TIMEOUT_MS = 30_000;

/** What this machine can keep a step from. */
export type Isolation =
  | { readonly kind: IsolationKind; readonly network: boolean }
  | { readonly kind: 'none'; readonly network: false; readonly reason: string };

let probed: Promise<Isolation> | undefined;

/** Tries, once for the life of the process, how steps can be isolated on this machine. */
export function probeIsolation(): Promise<Isolation> {
  probed ??= probe();
  return probed;
}

async function probe(): Promise<Isolation> {
  const kinds: readonly IsolationKind[] = process.getuid?.() === 0 ? ['root', 'user'] : ['user'];
  let reason = '';
  for (const kind of kinds) {
    for (const network of [true, false]) {
      const fault = await tryOut(kind, network);
      if (fault === undefined) return { kind, network };
      reason ||= fault;
    }
  }
  return { kind: 'none', network: false, reason };
}

/** Runs a program that does nothing, isolated. @returns what went wrong */
async function tryOut(kind: IsolationKind, network: boolean): Promise<string | undefined> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'burnish-isolation-')));
  try {
    const job = join(folder, 'work', 'job');
    const step = join(job, 'step-1');
    const input = join(folder, 'buckets', 'model');
    await mkdir(step, { recursive: true });
    await mkdir(input, { recursive: true });
    const [program, ...parameters] = isolatedCommand(
      kind,
      network,
      step,
      folder,
      [
        { access: 'rw', path: job },
        { access: 'ro', path: input },
      ],
      ['true'],
    );
    await promisify(execFile)(program, parameters, { timeout: PROBE_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    return (stderr ?? '').trim().split('\n').at(-1) || message.split('\n', 1)[0];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
