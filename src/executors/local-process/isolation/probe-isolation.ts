import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { routesTo } from './allowed-destinations.js';
import { type IsolationKind, isolatedCommand, type Place, type Reach } from './isolate-step.js';
import { PROBE_FOLDER, removeOldProbeFolders } from './probe-folders.js';

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
  await removeOldProbeFolders(tmpdir());
  const kinds: readonly IsolationKind[] = process.getuid?.() === 0 ? ['root', 'user'] : ['user'];
  let reason = '';
  for (const kind of kinds) {
    for (const network of [true, false]) {
      const fault = await tryOut(kind, network ? 'nothing' : 'machine');
      if (fault === undefined) return { kind, network };
      reason ||= fault;
    }
  }
  return { kind: 'none', network: false, reason };
}

let connects = false;

/**
 * Tries whether steps can be given a network that reaches some addresses. What is missing may be
 * installed while the service runs, so this asks again until it works.
 *
 * @returns why not, and what to do; undefined when they can
 */
export async function probeUplink(): Promise<string | undefined> {
  if (connects) return undefined;
  const { kind, network } = await probeIsolation();
  if (kind === 'none' || !network) return 'Network namespaces are needed for that.';
  for (const [program, source] of UPLINK_PROGRAMS) {
    try {
      await promisify(execFile)(program, ['--help'], { timeout: PROBE_TIMEOUT_MS });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return `${program} is not installed; it is in the package ${source}.`;
    }
  }
  const fault = await tryOut(kind, routesTo([], []));
  connects = fault === undefined;
  return fault === undefined ? undefined : `Connecting one failed: ${fault}.`;
}

/** What connects a step's network, and the package that it comes with. */
const UPLINK_PROGRAMS = [
  ['slirp4netns', 'slirp4netns'],
  ['ip', 'iproute2'],
  ['nsenter', 'util-linux'],
] as const;

/** Runs a program that does nothing, isolated. Never rejects. @returns what went wrong */
async function tryOut(kind: IsolationKind, reach: Reach): Promise<string | undefined> {
  let folder: string | undefined;
  try {
    folder = await realpath(await mkdtemp(join(tmpdir(), PROBE_FOLDER)));
    const job = join(folder, 'work', 'job');
    const step = join(job, 'step-1');
    const input = join(folder, 'buckets', 'model');
    await mkdir(step, { recursive: true });
    await mkdir(input, { recursive: true });
    const places: readonly Place[] = [
      { access: 'rw', path: job },
      { access: 'ro', path: input },
    ];
    const confinement = { kind, reach, stepFolder: step, dataDir: folder, places };
    const [program, ...parameters] = isolatedCommand(confinement, ['true']);
    await promisify(execFile)(program, parameters, { timeout: PROBE_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string };
    return (stderr ?? '').trim().split('\n').at(-1) || message.split('\n', 1)[0];
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
