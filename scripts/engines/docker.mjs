// A Docker engine of our own: its data, its socket and its registry in a temporary folder, no rules of
// a firewall, no bridge, all gone afterwards.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePrograms } from './apt.mjs';
import { endDaemon, freePort, lastLines, startDaemon, until } from './daemons.mjs';

/** Program by program, the Debian package that has it. */
const PACKAGES = { dockerd: 'docker.io', 'docker-registry': 'docker-registry' };

/** A registry that asks for a password, as `htpasswd -B` would write it down. */
async function startRegistry(folder) {
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const salt = `$2y$05$${randomBytes(16).toString('hex').slice(0, 21)}u`;
  const hash = spawnSync('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, salt]);
  writeFileSync(join(folder, 'htpasswd'), `burnish:${hash.stdout}\n`);
  const configuration = {
    version: 0.1,
    log: { accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'registry') } },
    http: { addr: `127.0.0.1:${port}` },
    auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'registry.yml'), JSON.stringify(configuration));
  const args = ['serve', join(folder, 'registry.yml')];
  const registry = startDaemon('docker-registry', args, join(folder, 'registry.log'));
  return { registry, address: `127.0.0.1:${port}`, username: 'burnish', password };
}

/** The engine leaves the network of the machine mounted once a container was in it. */
function unmountUnder(folder) {
  const places = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1])
    .filter((place) => place?.startsWith(`${folder}/`));
  for (const place of places.reverse()) spawnSync('umount', [place]);
}

/**
 * Starts an engine and a registry, installing them where they are missing.
 * @returns the engine's socket, the registry's address and credentials, and what ends both
 * @throws an error that says what is missing
 */
export async function startEngine() {
  if (process.getuid?.() !== 0) throw new Error('a Docker engine of one’s own takes root');
  ensurePrograms(PACKAGES);
  const folder = mkdtempSync(join(tmpdir(), 'burnish-docker-'));
  const socket = join(folder, 'docker.sock');
  const log = join(folder, 'dockerd.log');
  const engine = startDaemon(
    'dockerd',
    [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
      ...['--pidfile', join(folder, 'pid'), '--host', `unix://${socket}`],
      ...['--storage-driver', 'vfs', '--bridge', 'none'],
      ...['--iptables=false', '--ip6tables=false'],
    ],
    log,
  );
  const { registry, ...access } = await startRegistry(folder);
  const stop = () => {
    for (const daemon of [registry, engine]) endDaemon(daemon);
    unmountUnder(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  const isReady = () => {
    if (engine.exitCode !== null) throw new Error(`dockerd ended: ${lastLines(log)}`);
    return existsSync(socket) && readFileSync(log, 'utf8').includes('API listen on');
  };
  try {
    await until(isReady, () => `dockerd is not ready: ${lastLines(log)}`);
    return { socket, registry: access, stop };
  } catch (error) {
    stop();
    throw error;
  }
}
