// The service with 100,000 jobs in its record: time from `serve` to ready, describe and create
// requests a second from concurrent clients, and pages of a filtered list.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import {
  CreateOptimizationJobCommand,
  DescribeOptimizationJobCommand,
  ListOptimizationJobsCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import Database from 'libsql';
import { openSqliteStore } from '../../dist/store/open-sqlite-store.js';
import { machine, median } from '../support/measure.mjs';

const BURNISH = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const STORED_JOBS = 100_000;
const REQUESTS = 2_000;
const CONCURRENCY = 16;
const STARTS = 5;

const dataDir = mkdtempSync(join(tmpdir(), 'burnish-bench-'));

const request = (name) => ({
  OptimizationJobName: name,
  RoleArn: 'arn:aws:iam::000000000000:role/burnish-execution',
  ModelSource: { S3: { S3Uri: 's3://models/source' } },
  DeploymentInstanceType: 'ml.g5.xlarge',
  OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn' },
  OptimizationConfigs: [{ ModelQuantizationConfig: {} }],
  OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
  StoppingCondition: { MaxRuntimeInSeconds: 3600 },
});

/** Jobs that have ended, put into the record in one transaction. */
async function fill() {
  const path = join(dataDir, 'jobs.db');
  await (await openSqliteStore(path)).close();
  const database = new Database(path);
  const insert = database.prepare(
    `insert into jobs (name, arn, status, request, optimization_types, created_at, modified_at)
     values (?, ?, 'COMPLETED', ?, 'Quantization', ?, ?)`,
  );
  database.exec('begin');
  for (let index = 0; index < STORED_JOBS; index += 1) {
    const name = `stored-${index}`;
    const arn = `arn:aws:sagemaker:us-east-1:000000000000:optimization-job/${name}`;
    const createdAt = 1_700_000_000_000 + index;
    insert.run(name, arn, JSON.stringify(request(name)), createdAt, createdAt + 1);
  }
  database.exec('commit');
  database.close();
}

/** Fulfilled with the process, the URL, and the milliseconds from the start to the ready line. */
function serve() {
  const began = performance.now();
  const args = [BURNISH, 'serve', '--port', '0', '--data-dir', dataDir, '--log-level', 'silent'];
  const child = spawn(process.execPath, [...args, '--max-queued-jobs', '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      const url = /https?:\/\/\S+/.exec(String(chunk))?.[0];
      if (url !== undefined) resolve({ child, url, milliseconds: performance.now() - began });
    });
  });
}

/** Runs `burnish iam` on the record. */
function iam(...args) {
  const done = spawnSync(process.execPath, [BURNISH, 'iam', ...args, '--data-dir', dataDir]);
  if (done.status !== 0) throw new Error(String(done.stderr));
  return done.stdout.length === 0 ? undefined : JSON.parse(String(done.stdout));
}

/** A user whose policies ask for the prefix of names, tags of the job, and the address. */
function makeUser() {
  const user = ['--user-name', 'bench'];
  iam('create-user', ...user);
  const job = 'arn:aws:sagemaker:*:*:optimization-job';
  const address = { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } };
  const secret = { StringEquals: { 'aws:ResourceTag/secret': 'true' } };
  const statements = {
    read: [
      { Effect: 'Allow', Action: 'sagemaker:*', Resource: `${job}/stored-*`, Condition: address },
    ],
    write: [{ Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: '*' }],
    secret: [{ Effect: 'Deny', Action: '*', Resource: '*', Condition: secret }],
  };
  for (const [name, Statement] of Object.entries(statements)) {
    const document = JSON.stringify({ Version: '2012-10-17', Statement });
    iam('put-user-policy', ...user, '--policy-name', name, '--policy-document', document);
  }
  const { AccessKey } = iam('create-access-key', ...user);
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
}

function stop(child) {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}

/** Requests a second, with a number of them under way at any time. */
async function rate(send) {
  let next = 0;
  const worker = async () => {
    while (next < REQUESTS) await send(next++);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return (REQUESTS / (performance.now() - began)) * 1000;
}

try {
  console.log(machine());
  mkdirSync(join(dataDir, 'buckets', 'models', 'source'), { recursive: true });
  writeFileSync(join(dataDir, 'buckets', 'models', 'source', 'config.json'), '{}');
  await fill();
  const user = makeUser();
  const starts = [];
  let service;
  for (let start = 0; start < STARTS; start += 1) {
    if (service !== undefined) await stop(service.child);
    service = await serve();
    starts.push(service.milliseconds);
  }
  console.log(`from serve to ready: ${median(starts).toFixed(0)} ms (${STORED_JOBS} jobs stored)`);
  const [accessKeyId, secretAccessKey] = readFileSync(join(dataDir, 'credentials'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('aws_'))
    .map((line) => line.slice(line.indexOf('=') + 1).trim());
  const client = new SageMakerClient({
    endpoint: service.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  });
  const describe = await rate((index) =>
    client.send(
      new DescribeOptimizationJobCommand({
        OptimizationJobName: `stored-${(index * 7919) % STORED_JOBS}`,
      }),
    ),
  );
  console.log(`describe: ${describe.toFixed(0)} requests a second`);
  const asUser = new SageMakerClient({
    endpoint: service.url,
    region: 'us-east-1',
    credentials: user,
  });
  for (const [what, jobs] of [
    ['another job each time', REQUESTS],
    ['100 jobs again and again', 100],
  ]) {
    const described = await rate((index) =>
      asUser.send(
        new DescribeOptimizationJobCommand({ OptimizationJobName: `stored-${index % jobs}` }),
      ),
    );
    console.log(
      `describe by a user with policies, ${what}: ${described.toFixed(0)} requests a second`,
    );
  }
  asUser.destroy();
  const create = await rate((index) =>
    client.send(new CreateOptimizationJobCommand(request(`created-${index}`))),
  );
  console.log(`create: ${create.toFixed(0)} requests a second, while the jobs run`);
  for (const [what, input] of [
    ['list, newest first', { SortOrder: 'Descending' }],
    ['list by name', { SortBy: 'Name' }],
    ['list, name contains 9999', { NameContains: '9999', MaxResults: 20 }],
  ]) {
    const times = [];
    for (let round = 0; round < 20; round += 1) {
      const began = performance.now();
      await client.send(new ListOptimizationJobsCommand(input));
      times.push(performance.now() - began);
    }
    console.log(`${what}: ${median(times).toFixed(1)} ms a page`);
  }
  client.destroy();
  await stop(service.child);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
