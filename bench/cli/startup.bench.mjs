// How long a command takes from start to end, beside the AWS CLI v2 on the same machine in the same
// run: the version, a manual page, and one describe call to a service on this machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machine, median, timeProcess } from '../support/measure.mjs';

const RUNS = 15;

/** What the aim is: so many times as fast as the AWS CLI. */
const AIM = 3;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BURNISH = here('../../dist/cli/main.js');
const INSTALLER = here('../../scripts/interop/install-aws-cli-v2.mjs');

const answer = JSON.stringify({
  OptimizationJobArn: 'arn:aws:sagemaker:us-east-1:000000000000:optimization-job/job-1',
  OptimizationJobName: 'job-1',
  OptimizationJobStatus: 'COMPLETED',
  CreationTime: 1_700_000_000,
  OptimizationConfigs: [{ ModelQuantizationConfig: {} }],
});

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(answer);
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const home = mkdtempSync(join(tmpdir(), 'burnish-startup-'));

const describe = [
  'describe-optimization-job',
  '--optimization-job-name',
  'job-1',
  '--endpoint-url',
  `http://127.0.0.1:${server.address().port}`,
];

const COMMANDS = [
  { title: '--version', burnish: ['--version'], aws: ['--version'] },
  {
    title: 'create-optimization-job help',
    burnish: ['create-optimization-job', 'help'],
    aws: ['sagemaker', 'create-optimization-job', 'help'],
  },
  { title: 'one describe call', burnish: describe, aws: ['sagemaker', ...describe] },
];

function findAws() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [INSTALLER], { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout);
  console.log(`Without the AWS CLI v2 to compare with: ${(stdout || stderr).trim()}`);
  return undefined;
}

const aws = findAws();
const env = {
  PATH: process.env.PATH,
  HOME: home,
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_REGION: 'us-east-1',
  AWS_PAGER: '',
  PAGER: 'cat',
  AWS_EC2_METADATA_DISABLED: 'true',
  ...(aws === undefined ? {} : { AWS_DATA_PATH: aws.dataPath }),
};

/** Milliseconds from start to end, the median of many runs; undefined where the command fails. */
async function measure(run) {
  try {
    await run();
  } catch (error) {
    console.log(String(error.message));
    return undefined;
  }
  const times = [];
  for (let index = 0; index < RUNS; index += 1) times.push((await run()).seconds * 1000);
  return median(times);
}

const show = (time) => (time === undefined ? '—' : `${time.toFixed(0)} ms`);

console.log(`${machine()}; medians of ${RUNS} runs\n`);
console.log('| command | burnish | AWS CLI v2 | ratio |');
console.log('| --- | --- | --- | --- |');
for (const command of COMMANDS) {
  const ours = await measure(() =>
    timeProcess(process.execPath, [BURNISH, ...command.burnish], { env }),
  );
  const theirs = aws && (await measure(() => timeProcess(aws.aws, command.aws, { env })));
  const ratio = ours && theirs ? theirs / ours : undefined;
  const verdict =
    ratio === undefined ? '—' : `${ratio.toFixed(1)}×${ratio < AIM ? ` (aim: ${AIM}×)` : ''}`;
  console.log(`| ${command.title} | ${show(ours)} | ${show(theirs)} | ${verdict} |`);
}

server.close();
rmSync(home, { recursive: true, force: true });
