import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StepRequest } from '#burnish/executors/executor.js';
import {
  impossibleDestinations,
  ownAddresses,
  routesTo,
} from '#burnish/executors/local-process/isolation/allowed-destinations.js';
import {
  probeIsolation,
  probeUplink,
} from '#burnish/executors/local-process/isolation/probe-isolation.js';
import { createLocalProcessExecutor } from '#burnish/executors/local-process/local-process-executor.js';
import { createStepFolders, stepFolders } from '#burnish/executors/step-folders.js';
import { type OtherMachine, startOtherMachine } from '../support/other-machine.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROGRAM = fileURLToPath(new URL('../support/reaching-step.mjs', import.meta.url));

/** This machine's end of a network that the tests make, and two addresses of another machine there. */
const OWN = '198.18.254.1';
const ALLOWED = '198.18.254.2';
const OTHER = '198.18.254.130';

const NETWORKS = [
  {
    vpc: 'vpc-a',
    subnets: ['subnet-a'],
    securityGroups: [
      { id: 'sg-closed', allows: [] },
      { id: 'sg-half', allows: ['198.18.254.0/25'] },
      { id: 'sg-own', allows: [OWN] },
      { id: 'sg-all', allows: ['0.0.0.0/0'] },
      { id: 'sg-own-loopback', allows: ['127.0.0.1'] },
    ],
  },
];

describe('the destinations of a security group', () => {
  it('are IPv4 addresses and ranges that lead somewhere', () => {
    const good = ['10.0.0.5', '10.1.0.0/16', '0.0.0.0/0', '198.18.0.0/15'];
    const bad = ['10.0.0.5:443', 'hub', '::/0', '10.0.0.256', '10.0.0.0/33', '10.0.0.0/', ''];
    const nowhere = ['127.0.0.1', '0.0.0.0', '224.0.0.251', '240.0.0.0/8', '198.18.255.2'];
    expect(impossibleDestinations([...good, ...bad, ...nowhere])).toEqual([...bad, ...nowhere]);
  });

  it('leave out what is the machine’s own, unless it is named by itself', () => {
    const own = ['127.0.0.0/8', '10.0.0.1', '10.0.0.2'];
    expect(routesTo(['10.0.0.7/8', '10.0.0.2', '10.9.9.9/8'], own)).toEqual([
      { kind: 'unicast', to: '10.0.0.0/8' },
      { kind: 'unicast', to: '10.0.0.2/32' },
      { kind: 'unreachable', to: '198.18.255.0/24' },
      { kind: 'unreachable', to: '169.254.0.0/16' },
      { kind: 'unreachable', to: '127.0.0.0/8' },
      { kind: 'unreachable', to: '10.0.0.1/32' },
    ]);
  });
});

const { network } = await probeIsolation();

it.runIf(network)('says what to install on a machine without slirp4netns', async () => {
  const folder = temporaryFolder('path');
  for (const name of ['unshare', 'mount', 'setpriv', 'sh', 'mkdir', 'true']) {
    await symlink(join('/usr/bin', name), join(folder, name));
  }
  vi.stubEnv('PATH', folder);
  vi.resetModules();
  try {
    const { grantNetwork } = await import(
      '#burnish/executors/local-process/isolation/grant-network.js'
    );
    const grant = (group: string) =>
      grantNetwork({ subnets: ['subnet-a'], securityGroupIds: [group] }, NETWORKS);
    expect(await grant('sg-half')).toEqual({
      refusal: expect.stringContaining(
        "the groups allow 198.18.254.0/25, and this machine can't give a step a network that reaches nothing else: slirp4netns is not installed; it is in the package slirp4netns.",
      ),
    });
    expect(await grant('sg-closed')).toEqual({ reach: 'nothing' });
  } finally {
    vi.unstubAllEnvs();
  }
});

const root = process.getuid?.() === 0;
const fault = root ? await probeUplink() : 'the other machine that they need takes root.';
if (fault !== undefined) {
  console.warn(`SKIPPED: steps that reach some addresses, because ${fault}`);
}

describe.skipIf(fault !== undefined)('a step in a group that allows some addresses', () => {
  let folder: string;
  let dataDir: string;
  let machine: OtherMachine;
  let service: Server;
  let servicePort: number;

  beforeAll(async () => {
    folder = temporaryFolder('uplink');
    dataDir = join(folder, 'data');
    await mkdir(join(dataDir, 'buckets', 'source'), { recursive: true });
    machine = await startOtherMachine(`${OWN}/24`, [ALLOWED, OTHER]);
    service = createServer((socket) => socket.end('the service'));
    await new Promise<void>((resolve) => service.listen(0, '0.0.0.0', resolve));
    servicePort = (service.address() as { port: number }).port;
  });
  afterAll(async () => {
    service?.close();
    await machine?.close();
  });

  const executor = () =>
    createLocalProcessExecutor(PROGRAM, {
      hidden: { dataDir, secrets: [] },
      networks: NETWORKS,
    });

  async function requestOf(job: string, group: string, hold: boolean): Promise<StepRequest> {
    const folders = stepFolders(join(dataDir, 'work', job), 0);
    await createStepFolders(folders);
    const { port } = machine;
    const targets = [
      ...[ALLOWED, OTHER].map((address) => `${address}:${port}`),
      ...[OWN, '127.0.0.1', '198.18.255.2', '198.18.255.101'].map(
        (address) => `${address}:${servicePort}`,
      ),
    ];
    return {
      job,
      step: 0,
      technique: 'quantization',
      environment: { OPTION_TARGETS: JSON.stringify(targets), OPTION_HOLD: String(hold) },
      deployment: { instanceType: 'ml.g5.xlarge', accelerator: 'A10G', count: 1, memoryGb: 24 },
      datasets: {},
      inputFolder: join(dataDir, 'buckets', 'source'),
      folders,
      logFile: join(dataDir, 'logs', `${job}.log`),
      deadline: Date.now() + 60_000,
      graceMs: 1_000,
      network: { subnets: ['subnet-a'], securityGroupIds: [group] },
    };
  }

  const start = (request: StepRequest) => executor().start(request, new AbortController().signal);

  /** What it reached, in the order of the targets. */
  async function reached({ folders }: StepRequest, name: string): Promise<readonly unknown[]> {
    return Object.values(JSON.parse(await readFile(join(folders.output, name), 'utf8')));
  }

  const looked = (request: StepRequest) =>
    expect
      .poll(() => readdir(request.folders.output), { timeout: 120_000 })
      .toContain('reached.json');

  /** Processes of a step, its connection to the network among them. */
  async function processesOf({ folders }: StepRequest): Promise<readonly string[]> {
    const found: string[] = [];
    for (const pid of await readdir('/proc')) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (!environment.includes(`BURNISH_STEP_FILE=${folders.stepFile}\0`)) continue;
      found.push((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim());
    }
    return found;
  }
  const gone = (request: StepRequest) =>
    expect.poll(() => processesOf(request), { timeout: 60_000 }).toEqual([]);

  const REFUSED = expect.stringMatching(/^failed: (ENETUNREACH|EHOSTUNREACH|ECONNREFUSED)$/);

  it.each([
    ['sg-half', ['hello', REFUSED, REFUSED]],
    ['sg-own', [REFUSED, REFUSED, 'the service']],
    ['sg-all', ['hello', 'hello', REFUSED]],
  ])('reaches those, and neither the service nor a loopback: %s', async (group, expected) => {
    const request = await requestOf(group, group, false);
    expect(await (await start(request)).exit).toMatchObject({ code: 0 });
    expect(await reached(request, 'reached.json')).toEqual([
      ...expected,
      ...Array(3).fill(REFUSED),
    ]);
    expect(await readFile(request.logFile, 'utf8')).toBe('');
    await gone(request);
  });

  it('is connected to its end, over a restart of the service and SIGTERM', async () => {
    const request = await requestOf('adopted', 'sg-half', true);
    const { handle } = await start(request);
    await looked(request);
    const adopted = await executor().adopt(handle, request);
    expect(await processesOf(request)).toContain('slirp4netns');
    adopted?.signal('SIGTERM');
    await adopted?.exit;
    expect(await reached(request, 'reached-at-the-end.json')).toEqual(
      await reached(request, 'reached.json'),
    );
    await gone(request);
  });

  it('leaves nothing behind when it is reaped, or the process that holds it dies', async () => {
    const reaped = await requestOf('reaped', 'sg-half', true);
    await start(reaped);
    await looked(reaped);
    await executor().reap(reaped);
    await gone(reaped);

    const orphan = await requestOf('orphan', 'sg-half', true);
    const { handle } = await start(orphan);
    await looked(orphan);
    process.kill((handle as { pid: number }).pid, 'SIGKILL');
    await gone(orphan);
  });

  it('is told apart from what can’t be had', async () => {
    const network = { subnets: ['subnet-a'], securityGroupIds: ['sg-own-loopback'] };
    const demand = { technique: 'quantization', instanceType: 'ml.g5.xlarge', network } as const;
    expect(await executor().refusal(demand)).toContain('the groups allow 127.0.0.1');
    expect(await ownAddresses()).toEqual(expect.arrayContaining(['127.0.0.0/8', OWN]));
  });
});
