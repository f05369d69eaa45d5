// A node of a Kubernetes cluster without a kubelet: it takes the pods that the scheduler binds to it, runs
// the processes of each one's containers, one after the other, in namespaces of their own with their volumes
// in place, reports their state and last word, serves their logs, and ends them when their pod is deleted,
// within the pod's grace.
//
// usage: stand-in-node.mjs SERVER TOKEN PORT CERTIFICATES VOLUMES
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const [server, token, port, certificates, volumes] = process.argv.slice(2);
const NAME = 'stand-in';
/** Where containers find what runs their programs. */
const INSIDE = '/opt/stand-in';
const inProject = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
/** What the images hold: the stand-in program of the executors' tests, and this project. */
const IMAGES = {
  'burnish-test/step-program:1': {
    // Whatever command is asked for: it takes the optimizer's place, too.
    program: `${INSIDE}/program.mjs`,
    binds: [
      {
        source: inProject('test/support/step-program.mjs'),
        target: `${INSIDE}/program.mjs`,
        file: true,
        readOnly: true,
      },
    ],
  },
  'burnish-test/burnish:1': {
    binds: [{ source: inProject(''), target: '/opt/burnish', readOnly: true }],
  },
};
/** Bytes of a container's last word that a node keeps. */
const MAX_LAST_WORD = 4096;
/** A node's word that it lives, before the control plane takes it for lost after 40 seconds. */
const HEARTBEAT_MS = 10_000;

function send(method, path, body, type = 'application/merge-patch+json') {
  const content = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(`${server}${path}`, {
      method,
      rejectUnauthorized: false,
      headers: {
        authorization: `Bearer ${token}`,
        'content-length': Buffer.byteLength(content),
        ...(body === undefined
          ? {}
          : { 'content-type': method === 'PATCH' ? type : 'application/json' }),
      },
    });
    call.once('error', reject);
    call.once('response', async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      if (response.statusCode >= 300) reject(new Error(`${method} ${path}: ${text}`));
      else resolve(JSON.parse(text));
    });
    call.end(content);
  });
}

function watch(path, onEvent) {
  return new Promise((resolve) => {
    const call = request(`${server}${path}`, {
      rejectUnauthorized: false,
      headers: { authorization: `Bearer ${token}` },
    });
    call.once('error', resolve);
    call.once('response', async (response) => {
      try {
        for await (const line of createInterface({ input: response })) onEvent(JSON.parse(line));
      } catch {
        // The watch is begun again.
      }
      resolve();
    });
    call.end();
  });
}

// The node, and its word that it lives.

async function register() {
  await send('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: NAME,
      labels: { 'kubernetes.io/hostname': NAME, 'burnish.dev/test-accelerator': 'a10g' },
    },
  });
  const quantities = { cpu: '64', memory: '256Gi', pods: '110', 'ephemeral-storage': '64Gi' };
  const beat = async () => {
    const now = new Date().toISOString();
    const ready = { lastHeartbeatTime: now, lastTransitionTime: now, reason: 'Runs', message: '' };
    await send('PATCH', `/api/v1/nodes/${NAME}/status`, {
      status: {
        capacity: quantities,
        allocatable: quantities,
        conditions: [{ type: 'Ready', status: 'True', ...ready }],
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: Number(port) } },
      },
    });
  };
  await beat();
  setInterval(() => void beat().catch(() => undefined), HEARTBEAT_MS);
}

// Pods, and the processes that run for them.

/** By UID: what runs, what its containers wrote, and how they ended. */
const pods = new Map();

const pathOf = ({ metadata: { namespace, name } }) =>
  `/api/v1/namespaces/${namespace}/pods/${name}`;

const containersOf = ({ spec }) => [...(spec.initContainers ?? []), ...spec.containers];

async function setStatus({ pod, containers }, phase) {
  const statusOf = ({ name, image }) => {
    const state = containers.get(name)?.state ?? { waiting: { reason: 'PodInitializing' } };
    const ready = state.running !== undefined;
    return { name, image, imageID: image, ready, restartCount: 0, started: ready, state };
  };
  await send('PATCH', `${pathOf(pod)}/status`, {
    status: {
      phase,
      hostIP: '127.0.0.1',
      startTime: new Date().toISOString(),
      initContainerStatuses: (pod.spec.initContainers ?? []).map(statusOf),
      containerStatuses: pod.spec.containers.map(statusOf),
    },
  }).catch(() => undefined);
}

/** What a pod has on this machine; tests look into it by the name of its step's job. */
const ownFolder = ({ metadata: { labels, uid } }) =>
  join(volumes, labels?.['burnish.dev/job'] ?? 'none', uid);

/** Where a pod's volume is on this machine. */
async function volumeRoot(pod, name) {
  const { namespace } = pod.metadata;
  const { persistentVolumeClaim } = pod.spec.volumes.find((volume) => volume.name === name);
  if (persistentVolumeClaim === undefined) return join(ownFolder(pod), name);
  const claim = await send(
    'GET',
    `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${persistentVolumeClaim.claimName}`,
  );
  const volume = await send('GET', `/api/v1/persistentvolumes/${claim.spec.volumeName}`);
  return volume.spec.hostPath.path;
}

/** The file that a container's last word is read from. */
const lastWordFile = (pod, { name }) => join(ownFolder(pod), `last-word-of-${name}`);

/** A script for a shell in namespaces of its own, which becomes the container's first process. */
async function scriptOf(pod, container) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const binds = [
    { source: process.execPath, target: `${INSIDE}/node`, file: true, readOnly: true },
  ];
  for (const { name, subPath = '', mountPath, readOnly } of container.volumeMounts) {
    const source = join(await volumeRoot(pod, name), subPath);
    mkdirSync(source, { recursive: true });
    binds.push({ source, target: mountPath, readOnly });
  }
  const word = container.terminationMessagePath;
  if (word.startsWith('/opt/')) {
    const source = lastWordFile(pod, container);
    mkdirSync(dirname(source), { recursive: true });
    writeFileSync(source, '');
    binds.push({ source, target: word, file: true });
  }
  binds.push(...IMAGES[container.image].binds);
  // What is put over /tmp hides what others come from.
  binds.sort((a, b) => Number(a.target === '/tmp') - Number(b.target === '/tmp'));
  const lines = ['set -e', 'mount -t tmpfs none /opt'];
  for (const { source, target, file, readOnly } of binds) {
    lines.push(`mkdir -p ${quote(file ? dirname(target) : target)}`);
    if (file) lines.push(`touch ${quote(target)}`);
    lines.push(`mount --bind ${quote(source)} ${quote(target)}`);
    if (readOnly) lines.push(`mount -o remount,bind,ro ${quote(target)}`);
  }
  const { program } = IMAGES[container.image];
  const args = program === undefined ? container.command.slice(1) : [program];
  lines.push('cd /', `exec ${INSIDE}/node ${args.map(quote).join(' ')}`);
  return lines.join('\n');
}

async function environmentOf(pod, { env }) {
  const variables = {};
  for (const { name, value = '', valueFrom } of env) {
    if (valueFrom === undefined) {
      variables[name] = value.replaceAll('$$(', '$(');
      continue;
    }
    const { name: secret, key } = valueFrom.secretKeyRef;
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/secrets/${secret}`;
    const { data } = await send('GET', path);
    if (data[key] !== undefined) variables[name] = Buffer.from(data[key], 'base64').toString();
  }
  return variables;
}

/** Runs a pod's containers, one after the other, until one fails or all have ended. */
async function run(pod) {
  const entry = { pod, containers: new Map(), listeners: new Set(), ended: false };
  pods.set(pod.metadata.uid, entry);
  if (pod.metadata.deletionTimestamp !== undefined) end(entry, pod);
  let phase = 'Succeeded';
  for (const container of containersOf(pod)) {
    if (entry.deleted) phase = 'Failed';
    if (phase === 'Failed') break;
    if (IMAGES[container.image] === undefined) {
      const waiting = { reason: 'ErrImagePull', message: `no image ${container.image}` };
      entry.containers.set(container.name, { lines: [], ended: false, state: { waiting } });
      await setStatus(entry, 'Pending');
      return;
    }
    if ((await runContainer(entry, container)) !== 0) phase = 'Failed';
  }
  entry.ended = true;
  for (const listener of entry.listeners) listener();
  await setStatus(entry, phase);
  if (entry.deleted) await remove(entry.pod);
}

async function runContainer(entry, container) {
  const { pod } = entry;
  const variables = await environmentOf(pod, container);
  const script = await scriptOf(pod, container);
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      '--propagation',
      'private',
    ].concat(['sh', '-c', script]),
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOSTNAME: pod.metadata.name, ...variables },
    },
  );
  entry.child = child;
  const own = { lines: [], ended: false, state: undefined };
  entry.containers.set(container.name, own);
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      own.lines.push(`${timestamp()} ${line}\n`);
      for (const listener of entry.listeners) listener();
    });
  }
  const startedAt = new Date().toISOString();
  own.state = { running: { startedAt } };
  const closed = new Promise((resolve) => {
    child.once('close', (code, signal) =>
      resolve(code ?? 128 + { SIGKILL: 9, SIGTERM: 15, SIGABRT: 6, SIGSEGV: 11 }[signal]),
    );
  });
  await setStatus(entry, pod.spec.containers.includes(container) ? 'Running' : 'Pending');
  const exitCode = await closed;
  entry.child = undefined;
  own.ended = true;
  for (const listener of entry.listeners) listener();
  const file = lastWordFile(pod, container);
  own.state = {
    terminated: {
      exitCode,
      startedAt,
      finishedAt: new Date().toISOString(),
      reason: exitCode === 0 ? 'Completed' : 'Error',
      ...(existsSync(file) ? { message: readFileSync(file, 'utf8').slice(0, MAX_LAST_WORD) } : {}),
    },
  };
  return exitCode;
}

/** Nanoseconds that only ever go up, without the zeros at their end, as nodes write them. */
let last = 0n;
function timestamp() {
  const now = BigInt(Date.now()) * 1_000_000n;
  last = now > last ? now : last + 1n;
  const second = new Date(Number(last / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = String(last % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${second}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** The container's first process, which is the only one that is asked to end. */
function firstProcess(child) {
  try {
    const [pid] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
    return Number(pid) || undefined;
  } catch {
    return undefined;
  }
}

function kill(entry, signal) {
  const pid = entry.child === undefined ? undefined : firstProcess(entry.child);
  if (entry.ended || pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}

function end(entry, pod) {
  const grace = pod.metadata.deletionGracePeriodSeconds ?? 0;
  const asked = entry.deleted;
  entry.deleted = true;
  entry.pod = pod;
  const waits = [...entry.containers.values()].some(({ state }) => state?.waiting !== undefined);
  if (waits || entry.ended) {
    void remove(pod);
    return;
  }
  if (!asked) kill(entry, 'SIGTERM');
  clearTimeout(entry.timer);
  entry.timer = setTimeout(() => kill(entry, 'SIGKILL'), grace * 1000);
}

async function remove({ metadata, ...pod }) {
  const path = pathOf({ metadata, ...pod });
  await send('DELETE', path, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds: 0,
    preconditions: { uid: metadata.uid },
  }).catch(() => undefined);
}

function onPod(type, pod) {
  const entry = pods.get(pod.metadata.uid);
  if (type === 'DELETED') {
    if (entry !== undefined) kill(entry, 'SIGKILL');
    return;
  }
  if (entry === undefined) {
    if (['Succeeded', 'Failed'].includes(pod.status.phase)) return;
    void run(pod).catch((error) => console.error(error));
  } else if (pod.metadata.deletionTimestamp !== undefined) end(entry, pod);
}

/** The kubelet's own log API: GET /containerLogs/NAMESPACE/POD/CONTAINER. */
function serveLogs() {
  const tls = {
    key: readFileSync(join(certificates, 'apiserver.key')),
    cert: readFileSync(join(certificates, 'apiserver.crt')),
  };
  createServer(tls, async (incoming, response) => {
    const url = new URL(incoming.url, 'https://node');
    const [, , namespace, name, container] = url.pathname.split('/');
    const entry = [...pods.values()].findLast(
      ({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name,
    );
    const own = entry?.containers.get(container);
    if (own === undefined) {
      response.writeHead(entry === undefined ? 404 : 400).end();
      return;
    }
    const since = Date.parse(url.searchParams.get('sinceTime') ?? '') || 0;
    const follow = url.searchParams.get('follow') === 'true';
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    let next = 0;
    for (;;) {
      const over = own.ended;
      for (; next < own.lines.length; next += 1) {
        const line = own.lines[next];
        if (Date.parse(line.slice(0, line.indexOf(' '))) < since) continue;
        if (!response.write(line)) await new Promise((resolve) => response.once('drain', resolve));
      }
      if (over || !follow || response.destroyed) break;
      await new Promise((resolve) => {
        entry.listeners.add(resolve);
        setTimeout(resolve, 200);
      });
    }
    response.end();
  }).listen(Number(port), '127.0.0.1');
}

serveLogs();
await register();
const mine = `/api/v1/pods?fieldSelector=${encodeURIComponent(`spec.nodeName=${NAME}`)}`;
for (;;) {
  await watch(`${mine}&watch=true&timeoutSeconds=300`, ({ type, object }) => {
    if (object?.metadata?.uid !== undefined) onPod(type, object);
  });
  await delay(200);
}
