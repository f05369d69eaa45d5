import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';

/** A registry that asks for a password. */
export interface TestRegistry {
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

/** The engine that `npm run test:docker` has started. */
export function testEngine(): { readonly socket: string; readonly registry: TestRegistry } {
  const { BURNISH_TEST_DOCKER_SOCKET: socket, BURNISH_TEST_REGISTRY: registry } = process.env;
  if (socket === undefined || registry === undefined) {
    throw new Error('npm run test:docker starts the engine that this suite needs');
  }
  return { socket, registry: JSON.parse(registry) as TestRegistry };
}

/** What goes into an image beside Node: files of this machine by their place in the image. */
export interface TestImage {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Programs of this machine by their place, with the libraries that they link to. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[];
}

/** Makes an image of this machine's own Node and what Node links to, without any registry. */
export async function importTestImage(socket: string, image: TestImage): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'burnish-image-'));
  // The image's users are not only root.
  chmodSync(root, 0o755);
  try {
    const programs = { '/usr/local/bin/node': process.execPath, ...image.programs };
    for (const [target, source] of Object.entries(programs)) placeProgram(root, source, target);
    for (const [target, source] of Object.entries(image.files)) place(root, source, target);
    for (const folder of ['tmp', 'etc', 'opt/ml'])
      mkdirSync(join(root, folder), { recursive: true });
    // As any system has it; a tmpfs that is put over it takes on its mode.
    chmodSync(join(root, 'tmp'), 0o1777);
    const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const docker = new Docker({ socketPath: socket });
    const [repo, tag] = image.name.split(/:(?=[^/]*$)/);
    const answer = await docker.importImage(tar.stdout, { repo, tag, changes: image.changes });
    await new Promise<void>((resolve, reject) => {
      const onFinished = (error: Error | null) => (error === null ? resolve() : reject(error));
      docker.modem.followProgress(answer, onFinished);
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

function placeProgram(root: string, source: string, target: string): void {
  const program = realpathSync(source);
  place(root, program, target);
  const linked = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout;
  for (const library of linked.match(/\/\S+/g) ?? []) place(root, realpathSync(library), library);
}

function place(root: string, source: string, target: string): void {
  const path = join(root, target);
  mkdirSync(dirname(path), { recursive: true });
  if (source.endsWith('/')) cpSync(source, path, { recursive: true });
  else copyFileSync(source, path);
}
