import { type ChildProcess, spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { findProcesses } from '#burnish/executors/local-process/find-processes.js';
import type { EnvironmentMap } from '#burnish/service-model/techniques.js';
import { createCommand } from '../support/create-request.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { createDatabase, query } from './fresh-database.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = join(ROOT, 'dist', 'cli', 'main.js');
/** So short that taking over is seen in a test; a node that hangs on a busy machine may lose its jobs. */
export const LEASE_SECONDS = 3;

interface Node {
  readonly process: ChildProcess;
  readonly port: number;
}

/** Service nodes on one database and one data folder, and one address for all of them. */
export class ServiceNodes {
  private readonly nodes = new Map<number, Node>();
  private turn = 0;

  private constructor(
    readonly dataDir: string,
    private readonly database: { readonly url: string; remove(): Promise<void> },
    private readonly front: Server,
    readonly client: SageMakerClient,
  ) {}

  static async start(count: number): Promise<ServiceNodes> {
    const dataDir = temporaryFolder('nodes');
    const model = join(ROOT, 'fixtures', 'shakespeare-llama');
    await cp(model, join(dataDir, 'buckets', 'models', 'source'), { recursive: true });
    await writeFile(join(dataDir, 'nodes.yaml'), `nodes: { leaseSeconds: ${LEASE_SECONDS} }\n`);
    const database = await createDatabase();
    const front = createServer();
    const port = await new Promise<number>((resolve) =>
      front.listen(0, '127.0.0.1', () => resolve((front.address() as { port: number }).port)),
    );
    const client = new SageMakerClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      maxAttempts: 10,
      credentials: async () => credentialsOf(dataDir),
    });
    const service = new ServiceNodes(dataDir, database, front, client);
    front.on('connection', (socket) => {
      const upstream = connect(service.nextPort(), '127.0.0.1');
      for (const [from, to] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
    await Promise.all(Array.from({ length: count }, (_, index) => service.startNode(index)));
    return service;
  }

  async startNode(index: number): Promise<void> {
    const child = this.spawn(this.dataDir);
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (data: Buffer) => resolve(data.toString()));
      child.once('exit', () => reject(new Error(`node ${index} did not start`)));
    });
    child.removeAllListeners('exit');
    this.nodes.set(index, { process: child, port: Number(/:(\d+)\s/.exec(line)?.[1]) });
  }

  /** Starts a node that is expected to refuse to. @returns what it says */
  async startRefused(dataDir: string): Promise<string> {
    const child = this.spawn(dataDir, 'pipe');
    let said = '';
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString();
    });
    // What it says may come after its end.
    const status = await new Promise((resolve) => child.once('close', resolve));
    return `${status} ${said}`;
  }

  private spawn(dataDir: string, stderr: 'inherit' | 'pipe' = 'inherit'): ChildProcess {
    const options = [
      '--concurrent-jobs',
      '2',
      '--stop-grace-seconds',
      '2',
      '--log-level',
      'silent',
    ];
    const config = ['--config', join(this.dataDir, 'nodes.yaml')];
    return spawn(
      process.execPath,
      [PROGRAM, 'serve', '--port', '0', '--data-dir', dataDir, ...config, ...options],
      {
        stdio: ['ignore', 'pipe', stderr],
        env: { ...process.env, BURNISH_DATABASE_URL: this.database.url },
      },
    );
  }

  async killNode(index: number): Promise<void> {
    const node = this.nodes.get(index);
    if (node === undefined) return;
    this.nodes.delete(index);
    const gone = new Promise((resolve) => node.process.once('exit', resolve));
    node.process.kill('SIGKILL');
    await gone;
  }

  signalNode(index: number, signal: NodeJS.Signals): void {
    this.nodes.get(index)?.process.kill(signal);
  }

  /** A client of one node alone. */
  clientOf(index: number): SageMakerClient {
    return new SageMakerClient({
      endpoint: `http://127.0.0.1:${this.nodes.get(index)?.port}`,
      region: 'us-east-1',
      credentials: async () => credentialsOf(this.dataDir),
    });
  }

  /** The node that has a running job, by its lease. */
  async nodeOf(job: string): Promise<number | undefined> {
    const [row] = await this.query(`select lease_node from jobs where name = '${job}'`);
    const pid = Number(String(row?.lease_node ?? '').split(' ')[1]);
    return [...this.nodes].find(([, node]) => node.process.pid === pid)?.[0];
  }

  /** The node that has a running job whose step is on record, so that another finds it again. */
  async nodeOfStep(job: string): Promise<number | undefined> {
    const [row] = await this.query(`select execution from jobs where name = '${job}'`);
    return String(row?.execution).includes('"handle"') ? this.nodeOf(job) : undefined;
  }

  query(statement: string): Promise<Record<string, unknown>[]> {
    return query(this.database.url, statement);
  }

  async create(name: string, settings: EnvironmentMap): Promise<void> {
    const command = createCommand({
      OptimizationJobName: name,
      OptimizationEnvironment: { ...settings },
      OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
    });
    await this.client.send(command);
  }

  /** Optimizers of this service that run. */
  optimizers(job: string): Promise<readonly number[]> {
    return findProcesses(
      'BURNISH_STEP_FILE',
      join(this.dataDir, 'work', job, 'step-1', 'step.json'),
    );
  }

  async close(): Promise<void> {
    this.client.destroy();
    for (const index of [...this.nodes.keys()]) await this.killNode(index);
    this.front.close();
    const running = await this.query("select name from jobs where status = 'INPROGRESS'");
    for (const { name } of running) {
      for (const pid of await this.optimizers(String(name))) process.kill(-pid, 'SIGKILL');
    }
    await this.database.remove();
  }

  private nextPort(): number {
    const ports = [...this.nodes.values()].map(({ port }) => port);
    this.turn += 1;
    // Nobody listens on port 1: the client tries again.
    return ports[this.turn % ports.length] ?? 1;
  }
}

async function credentialsOf(dataDir: string) {
  const text = await readFile(join(dataDir, 'credentials'), 'utf8');
  const value = (name: string) => new RegExp(`${name} = (.+)`).exec(text)?.[1] ?? '';
  return {
    accessKeyId: value('aws_access_key_id'),
    secretAccessKey: value('aws_secret_access_key'),
  };
}
