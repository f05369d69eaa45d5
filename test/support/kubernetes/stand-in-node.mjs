// A node of a Kubernetes cluster without a kubelet: it takes the pods that the scheduler binds to it, runs
// each one's process in namespaces of its own with its volumes in place, reports its state, serves its
// log, and ends it when its pod is deleted, within the pod's grace. It knows one image: the stand-in
// program of the executors' tests.
//
// usage: stand-in-node.mjs SERVER TOKEN PORT CERTIFICATES
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const [server, token, port, certificates] = process.argv.slice(2);
const NAME = 'stand-in';
const IMAGE_PROGRAM = fileURLToPath(new URL('../step-program.mjs', import.meta.url));
/** Where the container finds its program, and what runs it. */
const INSIDE = '/opt/stand-in';
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

/** By UID: what runs, what it wrote, and how it ended. */
const pods = new Map();

const pathOf = ({ metadata: { namespace, name } }) =>
  `/api/v1/namespaces/${namespace}/pods/${name}`;

async function setStatus(pod, phase, state) {
  const [container] = pod.spec.containers;
  const { image, name } = container;
  const ready = phase === 'Running';
  const status = { name, image, imageID: image, ready, restartCount: 0, started: ready, state };
  await send('PATCH', `${pathOf(pod)}/status`, {
    status: {
      phase,
      hostIP: '127.0.0.1',
      startTime: new Date().toISOString(),
      containerStatuses: [status],
    },
  }).catch(() => undefined);
}

/** Where the pod's volume is on this machine. */
async function volumeRoot(pod, name) {
  const { namespace } = pod.metadata;
  const { persistentVolumeClaim } = pod.spec.volumes.find((volume) => volume.name === name);
  const claim = await send(
    'GET',
    `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${persistentVolumeClaim.claimName}`,
  );
  const volume = await send('GET', `/api/v1/persistentvolumes/${claim.spec.volumeName}`);
  return volume.spec.hostPath.path;
}

/** A script for a shell in namespaces of its own, which becomes the container's first process. */
async function scriptOf(pod) {
  const [container] = pod.spec.containers;
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const binds = [
    { source: process.execPath, target: `${INSIDE}/node`, file: true, readOnly: true },
    { source: IMAGE_PROGRAM, target: `${INSIDE}/program.mjs`, file: true, readOnly: true },
  ];
  for (const { name, subPath, mountPath, readOnly } of container.volumeMounts) {
    binds.push({ source: join(await volumeRoot(pod, name), subPath), target: mountPath, readOnly });
  }
  // What is put over /tmp hides what others come from.
  binds.sort((a, b) => Number(a.target === '/tmp') - Number(b.target === '/tmp'));
  const lines = ['set -e', 'mount -t tmpfs none /opt'];
  for (const { source, target, file, readOnly } of binds) {
    lines.push(`mkdir -p ${quote(file ? INSIDE : target)}`);
    if (file) lines.push(`touch ${quote(target)}`);
    lines.push(`mount --bind ${quote(source)} ${quote(target)}`);
    if (readOnly) lines.push(`mount -o remount,bind,ro ${quote(target)}`);
  }
  lines.push('cd /', `exec ${INSIDE}/node ${INSIDE}/program.mjs`);
  return lines.join('\n');
}

async function run(pod) {
  const [container] = pod.spec.containers;
  const entry = { pod, lines: [], listeners: new Set(), ended: false, child: undefined };
  pods.set(pod.metadata.uid, entry);
  if (container.image !== 'burnish-test/step-program:1') {
    const waiting = { reason: 'ErrImagePull', message: `no image ${container.image}` };
    await setStatus(pod, 'Pending', { waiting });
    return;
  }
  const variables = Object.fromEntries(
    container.env.map(({ name, value = '' }) => [name, value.replaceAll('$$(', '$(')]),
  );
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
    ].concat(['sh', '-c', await scriptOf(pod)]),
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOSTNAME: pod.metadata.name, ...variables },
    },
  );
  entry.child = child;
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      entry.lines.push(`${timestamp()} ${line}\n`);
      for (const listener of entry.listeners) listener();
    });
  }
  const startedAt = new Date().toISOString();
  const running = setStatus(pod, 'Running', { running: { startedAt } });
  child.once('close', async (code, signal) => {
    await running;
    entry.ended = true;
    for (const listener of entry.listeners) listener();
    const exitCode = code ?? 128 + { SIGKILL: 9, SIGTERM: 15, SIGABRT: 6, SIGSEGV: 11 }[signal];
    const finishedAt = new Date().toISOString();
    const terminated = {
      exitCode,
      startedAt,
      finishedAt,
      reason: exitCode === 0 ? 'Completed' : 'Error',
    };
    await setStatus(pod, exitCode === 0 ? 'Succeeded' : 'Failed', { terminated });
    if (entry.deleted) await remove(entry.pod);
  });
  if (pod.metadata.deletionTimestamp !== undefined) end(entry, pod);
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
  if (entry.child === undefined || entry.ended) {
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
    const [, , namespace, name] = url.pathname.split('/');
    const entry = [...pods.values()].findLast(
      ({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name,
    );
    if (entry === undefined) {
      response.writeHead(404).end();
      return;
    }
    const since = Date.parse(url.searchParams.get('sinceTime') ?? '') || 0;
    const follow = url.searchParams.get('follow') === 'true';
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    let next = 0;
    for (;;) {
      const over = entry.ended;
      for (; next < entry.lines.length; next += 1) {
        const line = entry.lines[next];
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
