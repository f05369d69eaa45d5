import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StepNetwork, StepRequest } from '#burnish/executors/executor.js';
import { probeIsolation } from '#burnish/executors/local-process/isolation/probe-isolation.js';
import { findNetwork } from '#burnish/executors/local-process/isolation/vpc-networks.js';
import { createLocalProcessExecutor } from '#burnish/executors/local-process/local-process-executor.js';
import { createStepFolders, stepFolders } from '#burnish/executors/step-folders.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROGRAM = fileURLToPath(new URL('../support/hostile-step.mjs', import.meta.url));

const NETWORKS = [
  {
    vpc: 'vpc-a',
    subnets: ['subnet-a1', 'subnet-a2'],
    securityGroups: [
      { id: 'sg-closed', allows: [] },
      { id: 'sg-hub', allows: ['10.0.0.5:443'] },
    ],
  },
  { vpc: 'vpc-b', subnets: ['subnet-b'], securityGroups: [{ id: 'sg-b', allows: [] }] },
];
const CLOSED: StepNetwork = { subnets: ['subnet-a1'], securityGroupIds: ['sg-closed'] };

describe('a VpcConfig', () => {
  it.each([
    [{ subnets: ['subnet-a1', 'subnet-a2'], securityGroupIds: ['sg-closed'] }, { allows: [] }],
    [
      { subnets: ['subnet-a1'], securityGroupIds: ['sg-closed', 'sg-hub'] },
      { allows: ['10.0.0.5:443'] },
    ],
    [
      { subnets: ['subnet-x'], securityGroupIds: ['sg-closed'] },
      { refusal: "VpcConfig.Subnets: The subnet ID 'subnet-x' does not exist" },
    ],
    [
      { subnets: ['subnet-a1'], securityGroupIds: ['sg-closed', 'sg-x'] },
      { refusal: "VpcConfig.SecurityGroupIds: The security group 'sg-x' does not exist" },
    ],
    [
      { subnets: ['subnet-a1'], securityGroupIds: ['sg-b'] },
      {
        refusal:
          'VpcConfig.SecurityGroupIds: Security group sg-b and subnet subnet-a1 belong to different networks.',
      },
    ],
    [
      { subnets: ['subnet-a1', 'subnet-b'], securityGroupIds: ['sg-closed'] },
      { refusal: 'VpcConfig.Subnets: subnet-b and subnet-a1 belong to different networks.' },
    ],
  ])('is held to the networks that are configured: %j', (asked, expected) => {
    expect(findNetwork(NETWORKS, asked)).toEqual(expected);
  });

  it('that allows a port is refused, which nothing would hold a step to', async () => {
    const hidden = { dataDir: '/nowhere', secrets: [] };
    const executor = createLocalProcessExecutor(PROGRAM, { hidden, networks: NETWORKS });
    const network = { subnets: ['subnet-a1'], securityGroupIds: ['sg-hub'] };
    const demand = { technique: 'quantization', instanceType: 'ml.g5.xlarge', network } as const;
    expect(await executor.refusal(demand)).toContain('the groups allow 10.0.0.5:443');
  });

  it('never runs a step where no networks are configured', async () => {
    const executor = createLocalProcessExecutor(PROGRAM);
    const demand = { technique: 'quantization', instanceType: 'ml.g5.xlarge' } as const;
    expect(await executor.refusal({ ...demand, network: CLOSED })).toContain('does not exist');
    expect(await executor.refusal(demand)).toBeUndefined();
  });
});

const isolation = await probeIsolation();

// Where the machine can't isolate, jobs that ask for it are refused, which is tested above.
describe.skipIf(isolation.kind === 'none')('a step that was taken over', () => {
  let folder: string;
  let dataDir: string;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    folder = temporaryFolder('hostile');
    dataDir = join(folder, 'data');
    const secrets: readonly (readonly [string, string])[] = [
      ['master-key', 'the master key'],
      ['credentials', 'the access key'],
      ['jobs.db', 'the record'],
      ['work/other-job/step-1/compiled/model', 'another job'],
      ['buckets/models/other/config.json', 'another model'],
      ['buckets/models/source/config.json', '{"own":true}'],
      ['buckets/models/elsewhere', 'what is linked to'],
    ];
    for (const [name, content] of secrets) {
      await mkdir(join(dataDir, name, '..'), { recursive: true });
      await writeFile(join(dataDir, name), content);
    }
    await writeFile(join(folder, 'key-elsewhere'), 'a master key elsewhere');
    const linked = join(dataDir, 'buckets/models/source/linked');
    await symlink(join(dataDir, 'buckets/models/elsewhere'), linked);
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as { port: number }).port;
  });
  afterAll(async () => {
    server.close();
  });

  async function findingsOf(job: string, network: StepNetwork | undefined) {
    const folders = stepFolders(join(dataDir, 'work', job), 0);
    await createStepFolders(folders);
    const read = [
      'master-key',
      'credentials',
      'jobs.db',
      'work/other-job/step-1/compiled/model',
      'buckets/models/other/config.json',
      '../key-elsewhere',
    ].map((name) => join(dataDir, name));
    const write = ['buckets/models/source/config.json', 'buckets/models/new', 'new'].map((name) =>
      join(dataDir, name),
    );
    const targets = { read, write, dataDir, port, servicePid: process.pid };
    const request: StepRequest = {
      job,
      step: 0,
      technique: 'quantization',
      environment: { OPTION_TARGETS: JSON.stringify(targets) },
      deployment: { instanceType: 'ml.g5.xlarge', accelerator: 'A10G', count: 1, memoryGb: 24 },
      datasets: {},
      inputFolder: join(dataDir, 'buckets/models/source'),
      folders,
      logFile: join(dataDir, 'logs', `${job}.log`),
      deadline: Date.now() + 60_000,
      graceMs: 1_000,
      network,
    };
    const hidden = { dataDir, secrets: [join(folder, 'key-elsewhere')] };
    const executor = createLocalProcessExecutor(PROGRAM, { hidden, networks: NETWORKS });
    const running = await executor.start(request, new AbortController().signal);
    const exit = await running.exit;
    expect(await readFile(request.logFile, 'utf8')).toBe('');
    expect(exit).toMatchObject({ code: 0 });
    return JSON.parse(await readFile(join(folders.output, 'findings.json'), 'utf8'));
  }

  it('sees its own folders and its input, and nothing else of the service', async () => {
    const findings = await findingsOf('taken-over', undefined);
    expect(findings.input).toBe('{"own":true}');
    expect(findings.link).toBe('what is linked to');
    for (const [path, content] of Object.entries(findings.read)) {
      expect(content, path).toMatch(/^(failed: ENOENT)?$/);
    }
    for (const [path, outcome] of Object.entries(findings.write)) {
      expect(outcome, path).toMatch(/^failed: (EROFS|EACCES)$/);
    }
    expect(findings.dataFolder).toEqual(['buckets', 'work']);
    expect(findings.parent).toEqual(['taken-over']);
    expect(await readFile(join(dataDir, 'buckets/models/source/config.json'), 'utf8')).toBe(
      '{"own":true}',
    );
  });

  it('sees no other processes, and can’t take its isolation off', async () => {
    const findings = await findingsOf('escapist', undefined);
    expect(findings.processes).toBeLessThan(6);
    expect(findings.kill).toBe('failed: ESRCH');
    expect(findings.unmount).toMatch(/^failed/);
    expect(findings.otherRoot).toMatch(/^failed: EACCES/);
    expect(findings.environmentOfParent).toMatch(/^failed: EACCES/);
  });

  it.skipIf(!isolation.network)('reaches no network when it has a VpcConfig', async () => {
    expect((await findingsOf('offline', CLOSED)).network).toMatch(/^failed: E/);
    expect((await findingsOf('online', undefined)).network).toBe('connected');
  });
});
