// A PostgreSQL cluster of our own: its data in a temporary folder, on a free port, gone afterwards.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installPackages } from './apt.mjs';
import { freePort } from './daemons.mjs';

const DEBIAN_ROOT = '/usr/lib/postgresql';
/** Debian's package would make and start a cluster of its own, unless told not to. */
const DEBIAN_SETTING = '/etc/postgresql-common/createcluster.d/burnish-test.conf';

/** The folder with initdb, pg_ctl and postgres; undefined where there is none. */
function findPrograms() {
  const versions = existsSync(DEBIAN_ROOT)
    ? readdirSync(DEBIAN_ROOT).sort((a, b) => Number(b) - Number(a))
    : [];
  return [
    ...versions.map((version) => join(DEBIAN_ROOT, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ].find((folder) =>
    ['initdb', 'pg_ctl', 'postgres'].every((name) => existsSync(join(folder, name))),
  );
}

function install() {
  console.log('Installing PostgreSQL …');
  if (process.getuid?.() === 0) {
    mkdirSync(join(DEBIAN_SETTING, '..'), { recursive: true });
    writeFileSync(DEBIAN_SETTING, 'create_main_cluster = false\n');
  }
  try {
    return installPackages('postgresql');
  } finally {
    rmSync(DEBIAN_SETTING, { force: true });
  }
}

/** PostgreSQL refuses to run as root; its package has made a user for it. */
function unprivileged() {
  if (process.getuid?.() !== 0) return {};
  const id = (flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/**
 * Starts a cluster, installing PostgreSQL where it is missing.
 * @returns its URL, and what ends it and removes it
 * @throws an error that says what is missing
 */
export async function startCluster() {
  let programs = findPrograms();
  if (programs === undefined) {
    const failure = install();
    programs = findPrograms();
    if (programs === undefined) throw new Error(`there is no PostgreSQL: ${failure}`);
  }
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), 'burnish-postgres-'));
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password);
  const run = (program, ...args) => {
    const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], ...user };
    const result = spawnSync(join(programs, program), args, options);
    if (result.status !== 0) {
      throw new Error(`${program} failed: ${result.error?.message ?? result.stderr.trim()}`);
    }
  };
  const stop = () => {
    if (existsSync(join(data, 'postmaster.pid'))) run('pg_ctl', 'stop', '-D', data, '-m', 'fast');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // A locale that sorts unlike SQLite, so that an order that depends on it shows.
    run('initdb', '-D', data, '-U', 'burnish', '-A', 'scram-sha-256', '--pwfile', passwordFile);
    const port = await freePort();
    // Nothing here has to survive a power cut.
    const settings = `-h 127.0.0.1 -p ${port} -k ${folder} -c fsync=off`;
    run('pg_ctl', 'start', '-w', '-D', data, '-l', join(folder, 'log'), '-o', settings);
    return { url: `postgres://burnish:${password}@127.0.0.1:${port}/postgres`, stop };
  } catch (error) {
    stop();
    throw error;
  }
}
