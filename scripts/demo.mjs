// `npm run demo`: starts a service, sends it real optimization jobs on the bundled checkpoint through
// the public API, and ends with a table of what they saved and what they cost.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, root } from './ensure-built.mjs';

const BURNISH = join(root, 'dist', 'cli', 'main.js');
const MODEL = join(root, 'fixtures', 'shakespeare-llama');

/** Texts of the model's own kind: what it is calibrated on, and what it was never trained on. */
const TEXTS = {
  OPTION_CALIB_DATASET: 'shakespeare-llama-calibration.txt',
  OPTION_EVAL_DATASET: 'shakespeare-llama-heldout.txt',
};

/** What the demo asks for: each is a job of its own on the same source. */
const JOBS = [
  {
    name: 'demo-fp8',
    title: 'FP8, dynamic activations',
    environment: { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' },
  },
  {
    name: 'demo-int8',
    title: 'int8 weights and activations',
    environment: { OPTION_QUANTIZE: 'int8' },
  },
  {
    name: 'demo-int4',
    title: 'int4, rounded to nearest',
    environment: { OPTION_QUANTIZE: 'rtn' },
  },
  {
    name: 'demo-awq',
    title: 'int4, AWQ',
    environment: { OPTION_QUANTIZE: 'awq', OPTION_MAX_MODEL_LEN: '256', OPTION_CALIB_SIZE: '64' },
    calibrated: true,
  },
];

/** Starts the service on a free port; fulfilled with its process and its URL when it is ready. */
function startService(dataDir) {
  const service = spawn(
    process.execPath,
    [BURNISH, 'serve', '--port', '0', '--data-dir', dataDir, '--log-level', 'warn'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return new Promise((resolve, reject) => {
    let output = '';
    service.stdout.on('data', (chunk) => {
      output += chunk;
      const url = /https?:\/\/\S+/.exec(output)?.[0];
      if (url !== undefined) resolve({ service, url });
    });
    service.once('exit', (code) => reject(new Error(`the service ended with status ${code}`)));
  });
}

/** The AWS SDK's S3 client, as anyone would set it up for the service. */
async function connectS3(url, dataDir) {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const [accessKeyId, secretAccessKey] = readFileSync(join(dataDir, 'credentials'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('aws_'))
    .map((line) => line.slice(line.indexOf('=') + 1).trim());
  return new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
}

async function uploadModel(s3) {
  const { CreateBucketCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
  await s3.send(new CreateBucketCommand({ Bucket: 'models' }));
  for (const name of readdirSync(MODEL)) {
    const Body = readFileSync(join(MODEL, name));
    await s3.send(
      new PutObjectCommand({ Bucket: 'models', Key: `shakespeare-llama/${name}`, Body }),
    );
  }
  for (const name of Object.values(TEXTS)) {
    const Body = readFileSync(join(root, 'fixtures', name));
    await s3.send(new PutObjectCommand({ Bucket: 'models', Key: `texts/${name}`, Body }));
  }
}

/** The job's settings, with the texts that its technique reads. */
function settingsOf(job) {
  const names = Object.keys(TEXTS).filter((name) => job.calibrated || name.includes('EVAL'));
  const texts = names.map((name) => [name, `s3://models/texts/${TEXTS[name]}`]);
  return { ...job.environment, ...Object.fromEntries(texts) };
}

/** Sends one job with the `burnish` command line and waits for its end, its progress shown. */
function runJob(job, url, dataDir) {
  const args = [
    'create-optimization-job',
    ...['--optimization-job-name', job.name],
    ...['--role-arn', 'arn:aws:iam::000000000000:role/burnish-execution'],
    ...['--model-source', 'S3={S3Uri=s3://models/shakespeare-llama}'],
    ...['--deployment-instance-type', 'ml.g5.xlarge'],
    ...['--optimization-environment', JSON.stringify(settingsOf(job))],
    ...['--optimization-configs', 'ModelQuantizationConfig={}'],
    ...['--output-config', `S3OutputLocation=s3://models/${job.name}`],
    ...['--stopping-condition', 'MaxRuntimeInSeconds=3600'],
    '--wait',
  ];
  console.log(`\n$ burnish ${args.map(shellWord).join(' ')}`);
  const { status } = spawnSync(process.execPath, [BURNISH, ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      AWS_ENDPOINT_URL: url,
      AWS_SHARED_CREDENTIALS_FILE: join(dataDir, 'credentials'),
      AWS_CONFIG_FILE: join(dataDir, 'config'),
    },
  });
  if (status !== 0) throw new Error(`the job ${job.name} did not complete`);
}

const shellWord = (word) => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`);

async function readReport(s3, job) {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const Key = `${job.name}/optimization-report.json`;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'models', Key }));
  return JSON.parse(await Body.transformToString());
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
const percent = (share) => `${(share * 100).toFixed(2)} %`;

function printTable(reports) {
  const rows = reports.map(({ job, report }) => {
    const { totals, performance, evaluation } = report.steps.at(-1);
    return {
      scheme: job.title,
      before: megabytes(totals.weightBytesBefore),
      after: megabytes(totals.weightBytesAfter),
      smaller: `${totals.ratio.toFixed(2)} ×`,
      'weight error': percent(totals.relativeRms),
      ...(evaluation?.before === undefined
        ? {}
        : { perplexity: `${evaluation.before.toFixed(2)} → ${evaluation.after.toFixed(2)}` }),
      time: `${performance.seconds.toFixed(2)} s`,
      'peak memory': megabytes(performance.peakMemoryBytes),
    };
  });
  const heads = Object.keys(rows[0]);
  const widths = heads.map((head) =>
    Math.max(head.length, ...rows.map((row) => String(row[head]).length)),
  );
  const line = (cells) => cells.map((cell, index) => String(cell).padEnd(widths[index])).join('  ');
  console.log(`\n${line(heads)}\n${line(widths.map((width) => '─'.repeat(width)))}`);
  for (const row of rows) console.log(line(heads.map((head) => row[head])));
}

ensureBuilt();
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
const dataDir = mkdtempSync(join(tmpdir(), 'burnish-demo-'));
const { service, url } = await startService(dataDir);
try {
  console.log(`The service listens at ${url}; everything it keeps is in ${dataDir}.`);
  const s3 = await connectS3(url, dataDir);
  await uploadModel(s3);
  console.log(
    'Uploaded the bundled checkpoint, a Llama of 2.9 million parameters, to s3://models.',
  );
  const reports = [];
  for (const job of JOBS) {
    runJob(job, url, dataDir);
    reports.push({ job, report: await readReport(s3, job) });
  }
  s3.destroy();
  printTable(reports);
  console.log(`\nThe results are Hugging Face checkpoints: ${join(dataDir, 'buckets', 'models')}`);
  console.log('Each has its full report beside it, in optimization-report.json.');
} finally {
  service.removeAllListeners('exit');
  service.kill('SIGTERM');
}
