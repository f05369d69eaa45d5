import { readdir, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { StepRequest } from '../../executor.js';
import type { Route } from './allowed-destinations.js';
import { ISOLATION_SCRIPT } from './isolation-script.js';
import { ROUTER_SCRIPT, UPLINK_ARGUMENTS, UPLINK_SCRIPT } from './uplink-scripts.js';

/** What is hidden from steps. */
export interface HiddenPlaces {
  /** Of the service's data folder a step sees what it was given, and nothing else. */
  readonly dataDir: string;
  /** Files and folders with secrets of the service elsewhere. */
  readonly secrets: readonly string[];
}

/** By which right namespaces are made: the superuser's, or anyone's in a user namespace. */
export type IsolationKind = 'root' | 'user';

/** A program with its arguments. */
export type CommandLine = readonly [program: string, ...arguments: string[]];

/** The network of a step: the machine's, none, or one that reaches what routes let through. */
export type Reach = 'machine' | 'nothing' | readonly Route[];

/** What a step is kept to. */
export interface Confinement {
  readonly kind: IsolationKind;
  readonly reach: Reach;
  readonly stepFolder: string;
  /** The data folder, of which the step sees `places` alone. */
  readonly dataDir: string;
  readonly places: readonly Place[];
}

/**
 * The command line that starts `command` in namespaces of its own: processes, mounts, and the network where
 * it is not the machine's.
 */
export function isolatedCommand(
  { kind, reach, stepFolder, dataDir, places }: Confinement,
  command: CommandLine,
): CommandLine {
  const user = kind === 'user' ? ['--user', '--map-root-user'] : [];
  const own = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const routes = typeof reach === 'string' ? [] : reach;
  const makers: CommandLine =
    routes.length === 0
      ? ['unshare', ...user, ...own, ...(reach === 'machine' ? [] : ['--net'])]
      : [
          ...(['sh', '-c', UPLINK_SCRIPT, ...UPLINK_ARGUMENTS] as const),
          ...['unshare', ...user, '--net', '--', 'sh', '-c', ROUTER_SCRIPT, 'burnish-router'],
          ...['unshare', ...own, '--net'],
        ];
  return [
    ...makers,
    ...['--', 'sh', '-c', ISOLATION_SCRIPT, 'burnish-step', stepFolder, dataDir, kind],
    routes.map(({ kind, to }) => `${kind} ${to}`).join(' '),
    ...places.flatMap(({ access, path }) => [access, path]),
    '--',
    ...command,
  ];
}

/** A place that a step sees with some access, or that is hidden from it. */
export interface Place {
  readonly access: 'rw' | 'ro' | 'hide';
  readonly path: string;
}

/**
 * The places of a step: its job's own folder, what it was given elsewhere, and its input, to be read. Objects that the input links
 * to stay where the links say.
 */
export async function placesOfStep(
  { inputFolder, folders }: Pick<StepRequest, 'inputFolder' | 'folders'>,
  { dataDir, secrets }: HiddenPlaces,
): Promise<readonly Place[]> {
  const root = await realpath(dataDir);
  const input = await realpath(inputFolder);
  const inside = (path: string) => path.startsWith(root + sep);
  const seen = [input, ...(await linkTargets(input))].filter(inside);
  const job = dirname(folders.root);
  const own = Object.values(folders).filter((path) => !path.startsWith(job + sep));
  return [
    ...(await Promise.all([job, ...own].map(readWrite))),
    ...seen.map((path): Place => ({ access: 'ro', path })),
    ...secrets.filter((path) => !inside(path)).map((path): Place => ({ access: 'hide', path })),
  ];
}

const readWrite = async (path: string): Promise<Place> => ({
  access: 'rw',
  path: await realpath(path),
});

/** Where the links in a folder lead. */
async function linkTargets(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const links = entries.filter((entry) => entry.isSymbolicLink());
  return Promise.all(links.map((entry) => realpath(join(entry.parentPath, entry.name))));
}
