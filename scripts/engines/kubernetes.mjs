// A Kubernetes control plane of our own: etcd from Debian, and the API server, the controllers and the
// scheduler built from their Go modules. It has no kubelet; test/support/kubernetes/stand-in-node.mjs
// takes its place.
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:https';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../ensure-built.mjs';
import { installPackages } from './apt.mjs';
import { freePort } from './daemons.mjs';

const VERSION = '1.34.2';
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
/** Built once; it takes two processors some ten minutes. */
const CACHE =
  process.env.BURNISH_KUBERNETES_PROGRAMS ??
  join(homedir(), '.cache', 'burnish', `kubernetes-${VERSION}`);
const NODE_PROGRAM = join(root, 'test', 'support', 'kubernetes', 'stand-in-node.mjs');

function buildPrograms() {
  if (PROGRAMS.every((name) => existsSync(join(CACHE, name)))) return;
  if (spawnSync('go', ['version']).status !== 0) {
    throw new Error(`there is no Go to build Kubernetes ${VERSION} with (1.24 or newer)`);
  }
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'burnish-control-plane-'));
  try {
    cpSync(join(root, 'test', 'kubernetes', 'control-plane'), folder, { recursive: true });
    for (const name of PROGRAMS) {
      console.log(`Building ${name} ${VERSION} …`);
      const flags = ['-trimpath', '-mod=readonly', '-ldflags', `-s -w ${versionFlags()}`];
      const target = ['-o', join(CACHE, name), `k8s.io/kubernetes/cmd/${name}`];
      const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' };
      const built = spawnSync('go', ['build', ...flags, ...target], {
        cwd: folder,
        env,
        stdio: 'inherit',
      });
      if (built.status !== 0) throw new Error(`${name} could not be built`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function versionFlags() {
  const [major, minor] = VERSION.split('.');
  const values = { gitVersion: `v${VERSION}`, gitMajor: major, gitMinor: minor };
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

function findEtcd() {
  if (spawnSync('etcd', ['--version']).status === 0) return;
  console.log('Installing etcd …');
  const failure = installPackages('etcd-server');
  if (spawnSync('etcd', ['--version']).status !== 0)
    throw new Error(`there is no etcd: ${failure}`);
}

function kubeconfig(server, token) {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
    'current-context': 'test',
  });
}

async function untilReady(server, token, running) {
  for (;;) {
    running();
    const status = await new Promise((resolve) => {
      const options = { rejectUnauthorized: false, headers: { authorization: `Bearer ${token}` } };
      get(`${server}/readyz`, options, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).once('error', () => resolve(0));
    });
    if (status === 200) return;
    await delay(500);
  }
}

/**
 * Starts a control plane and a stand-in node.
 * @returns the path of an administrator's kubeconfig, the folder where the node has the volumes of pods,
 * and what ends it all and removes it
 * @throws an error that says what is missing
 */
export async function startKubernetes() {
  buildPrograms();
  findEtcd();
  const folder = mkdtempSync(join(tmpdir(), 'burnish-kubernetes-'));
  const children = [];
  const stop = () => {
    for (const { child } of children.reverse()) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const start = (name, program, args) => {
    const log = openSync(join(folder, `${name}.log`), 'a');
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log] });
    children.push({ name, child });
  };
  const running = () => {
    const dead = children.find(({ child }) => child.exitCode !== null);
    if (dead === undefined) return;
    const { stdout } = spawnSync('tail', ['-n', '5', join(folder, `${dead.name}.log`)]);
    throw new Error(`${dead.name} ended: ${stdout}`);
  };
  try {
    const [etcdPort, peerPort, port, kubeletPort] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const server = `https://127.0.0.1:${port}`;
    const token = randomBytes(16).toString('hex');
    const file = (name, content) => {
      writeFileSync(join(folder, name), content, { mode: 0o600 });
      return join(folder, name);
    };
    const tokens = file('tokens.csv', `${token},admin,admin,"system:masters"\n`);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const signing = file('service-accounts.key', privateKey);
    const verifying = file('service-accounts.pub', publicKey);
    const config = file('admin.kubeconfig', kubeconfig(server, token));
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    start('etcd', 'etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      // Nothing here has to survive a power cut.
      '--unsafe-no-fsync',
    ]);
    start('kube-apiserver', join(CACHE, 'kube-apiserver'), [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, 'certificates')}`,
      '--service-cluster-ip-range=10.96.0.0/24',
      `--service-account-key-file=${verifying}`,
      `--service-account-signing-key-file=${signing}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      '--kubelet-preferred-address-types=InternalIP',
    ]);
    await untilReady(server, token, running);
    const common = [`--kubeconfig=${config}`, '--leader-elect=false', '--secure-port=0'];
    start('kube-controller-manager', join(CACHE, 'kube-controller-manager'), [
      ...common,
      `--service-account-private-key-file=${signing}`,
    ]);
    start('kube-scheduler', join(CACHE, 'kube-scheduler'), common);
    start('stand-in-node', process.execPath, [
      NODE_PROGRAM,
      server,
      token,
      String(kubeletPort),
      join(folder, 'certificates'),
      join(folder, 'volumes'),
    ]);
    await delay(1_000);
    running();
    return { kubeconfig: config, volumes: join(folder, 'volumes'), stop };
  } catch (error) {
    stop();
    throw error;
  }
}
