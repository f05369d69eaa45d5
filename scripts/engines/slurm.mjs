// A Slurm cluster of our own with two nodes, all on this machine: its key, its state and its logs in a
// temporary folder, gone afterwards. No accounting, as on many a small cluster.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePrograms } from './apt.mjs';
import { endDaemon, freePort, lastLines, startDaemon, until } from './daemons.mjs';

const NODES = ['n1', 'n2'];
/** Program by program, the Debian package that has it. */
const PACKAGES = {
  munged: 'munge',
  slurmctld: 'slurmctld',
  slurmd: 'slurmd',
  sbatch: 'slurm-client',
};

async function configure(folder) {
  const host = hostname().split('.')[0];
  const nodes = [];
  for (const [index, name] of NODES.entries()) {
    const place = `NodeHostname=${host} NodeAddr=127.0.0.1 Port=${await freePort()}`;
    const has = `CPUs=2 RealMemory=2000 Features=kind${index + 1}`;
    nodes.push(`NodeName=${name} ${place} ${has}`);
  }
  return `
ClusterName=burnish-test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${await freePort()}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
# A dead node is noticed soon, and one that comes back is used again.
SlurmdTimeout=10
ReturnToService=2
${nodes.join('\n')}
PartitionName=all Nodes=${NODES.join(',')} Default=YES MaxTime=INFINITE State=UP
PartitionName=second Nodes=${NODES[1]} MaxTime=INFINITE State=UP
`;
}

/**
 * Starts a cluster, installing Slurm where it is missing.
 * @returns its configuration file, and what ends it
 * @throws an error that says what is missing
 */
export async function startCluster() {
  if (process.getuid?.() !== 0) throw new Error('a Slurm cluster of one’s own takes root');
  ensurePrograms(PACKAGES);
  const folder = mkdtempSync(join(tmpdir(), 'burnish-slurm-'));
  const configurationFile = join(folder, 'slurm.conf');
  writeFileSync(configurationFile, await configure(folder));
  writeFileSync(join(folder, 'munge.key'), randomBytes(128), { mode: 0o600 });
  mkdirSync(join(folder, 'state'));
  const log = (name) => join(folder, `${name}.out`);
  const env = { ...process.env, SLURM_CONF: configurationFile };
  const stop = () => {
    // Nodes may have been killed and started again; what runs now has left its number here.
    spawnSync('scancel', ['--signal=KILL', '--full', '--user=root'], { env });
    const numbers = readdirSync(folder).filter((name) => name.endsWith('.pid'));
    for (const name of numbers)
      endDaemon({ pid: Number(readFileSync(join(folder, name), 'utf8')) });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    startDaemon(
      'munged',
      [
        ...['--foreground', '--force', '--key-file', join(folder, 'munge.key')],
        ...['--socket', join(folder, 'munge.socket'), '--pid-file', join(folder, 'munged.pid')],
        ...['--seed-file', join(folder, 'munge.seed')],
      ],
      log('munged'),
    );
    const hasSocket = () => existsSync(join(folder, 'munge.socket'));
    await until(hasSocket, () => `munged is not ready: ${lastLines(log('munged'))}`);
    startDaemon('slurmctld', ['-D', '-f', configurationFile], log('slurmctld'));
    for (const node of NODES) {
      startDaemon('slurmd', ['-D', '-N', node, '-f', configurationFile], log(node));
    }
    const areIdle = () => {
      const { stdout } = spawnSync('sinfo', ['-h', '-p', 'all', '-t', 'idle', '-o', '%D'], {
        env,
        encoding: 'utf8',
      });
      return Number(stdout) === NODES.length;
    };
    await until(areIdle, () => `slurmctld has no nodes: ${lastLines(log('slurmctld'))}`);
    return { folder, configurationFile, stop };
  } catch (error) {
    stop();
    throw error;
  }
}
