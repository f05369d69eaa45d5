// Sharding a synthetic bf16 checkpoint of 1 GB, against `cp` of the same file, in turn in one run: the
// optimizer's whole process, which also reads its result back and sums it up, and its sharding phase
// alone; its peak memory. Then loading: one rank of two from the chunked layout over the service's S3
// front, in parallel ranged reads, against reading the whole unsharded checkpoint over the same front.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readManifest, readRank } from '../../dist/checkpoint/chunked/read-rank.js';
import { DEFAULT_CONFIGURATION } from '../../dist/server/configuration.js';
import { startService } from '../../dist/server/service.js';
import { machine, median } from '../support/measure.mjs';
import { timeCopy, timeStep } from '../support/optimizer-step.mjs';
import { writeSyntheticCheckpoint } from '../support/synthetic-checkpoint.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const GIGABYTE = 1e9;
const PARALLEL_READS = 8;
const READ_BYTES = 8 * 1024 * 1024;

const CASES = {
  'sharded state, 2': { OPTION_TENSOR_PARALLEL_DEGREE: '2' },
  'sharded state, 8': { OPTION_TENSOR_PARALLEL_DEGREE: '8' },
  'chunked, 2': { OPTION_TENSOR_PARALLEL_DEGREE: '2', OPTION_SHARD_LAYOUT: 'chunked' },
  'chunked, 8': { OPTION_TENSOR_PARALLEL_DEGREE: '8', OPTION_SHARD_LAYOUT: 'chunked' },
};

const root = mkdtempSync(join(tmpdir(), 'burnish-bench-'));

async function shard(source, environment) {
  const step = await timeStep(root, source, 'sharding', environment);
  const report = JSON.parse(readFileSync(join(step.output, 'optimization-report.json'), 'utf8'));
  const { sharding } = report.steps.at(-1).performance.secondsByPhase;
  return { ...step, sharding };
}

async function benchSharding(source, file) {
  const bytes = statSync(file).size;
  const runs = { cp: [] };
  for (const name of Object.keys(CASES)) runs[name] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const results = { cp: await timeCopy(root, file) };
    for (const [name, settings] of Object.entries(CASES)) {
      results[name] = await shard(source, settings);
    }
    // The first round warms the page cache and is not counted.
    if (round > 0) for (const [name, result] of Object.entries(results)) runs[name].push(result);
  }
  const copying = median(runs.cp.map(({ seconds }) => seconds));
  console.log(`${(bytes / GIGABYTE).toFixed(2)} GB bf16, medians of ${ROUNDS} rounds`);
  console.log(`cp                 ${copying.toFixed(2)} s  ${rate(bytes, copying)}`);
  for (const name of Object.keys(CASES)) {
    const part = (key) => {
      const seconds = median(runs[name].map((run) => run[key]));
      const ratio = median(runs[name].map((run, index) => runs.cp[index].seconds / run[key]));
      return `${seconds.toFixed(2)} s ${rate(bytes, seconds)} ${ratio.toFixed(2)} of cp`;
    };
    const peak = Math.max(...runs[name].map((run) => run.peakBytes)) / 1e6;
    console.log(
      `${name.padEnd(18)} sharding ${part('sharding')}; whole step ${part('seconds')}; peak ${peak.toFixed(0)} MB`,
    );
  }
}

function rate(bytes, seconds) {
  return `${(bytes / seconds / GIGABYTE).toFixed(2)} GB/s`;
}

/** Ranged reads of objects, as the reader of the chunked layout wants them. */
function bucketSource(client, prefix) {
  const get = async (file, range, signal) => {
    const request = { Bucket: 'models', Key: `${prefix}/${file}`, ...range };
    const { Body } = await client.send(new GetObjectCommand(request), { abortSignal: signal });
    return Body.transformToByteArray();
  };
  return {
    readFile: (file, signal) => get(file, {}, signal),
    readRange: (file, offset, length, signal) =>
      get(file, { Range: `bytes=${offset}-${offset + length - 1}` }, signal),
  };
}

/** Reads an object whole, in as many parallel ranged reads of the same size. */
async function readObject(client, prefix, file) {
  const key = { Bucket: 'models', Key: `${prefix}/${file}` };
  const { ContentLength: size } = await client.send(new HeadObjectCommand(key));
  const source = bucketSource(client, prefix);
  const whole = new Uint8Array(size);
  let next = 0;
  const lane = async () => {
    while (next < size) {
      const offset = next;
      next += READ_BYTES;
      const length = Math.min(READ_BYTES, size - offset);
      whole.set(await source.readRange(file, offset, length), offset);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
  return whole.length;
}

async function benchLoading(source) {
  const dataDir = join(root, 'data');
  const { output } = await shard(source, CASES['chunked, 2']);
  const models = join(dataDir, 'buckets', 'models');
  mkdirSync(models, { recursive: true });
  renameSync(output, join(models, 'chunked'));
  renameSync(source, join(models, 'source'));
  const service = await startService({
    ...DEFAULT_CONFIGURATION,
    ...{ dataDir, port: 0, logLevel: 'silent' },
  });
  try {
    const text = readFileSync(join(dataDir, 'credentials'), 'utf8');
    const value = (name) => new RegExp(`${name} = (.+)`).exec(text)?.[1];
    const client = new S3Client({
      endpoint: service.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: {
        accessKeyId: value('aws_access_key_id'),
        secretAccessKey: value('aws_secret_access_key'),
      },
    });
    const chunks = bucketSource(client, 'chunked');
    const rank = { pipelineRank: 0, tensorRank: 1 };
    const runs = { rank: [], whole: [] };
    const sizes = {};
    for (let round = 0; round <= ROUNDS; round += 1) {
      const began = performance.now();
      const loaded = await readRank(chunks, await readManifest(chunks), rank);
      const between = performance.now();
      const bytes = await readObject(client, 'source', 'model.safetensors');
      const ended = performance.now();
      sizes.rank = [...loaded.values()].reduce((sum, { data }) => sum + data.length, 0);
      sizes.whole = bytes;
      if (round === 0) continue;
      runs.rank.push((between - began) / 1000);
      runs.whole.push((ended - between) / 1000);
    }
    const one = median(runs.rank);
    const all = median(runs.whole);
    console.log(
      `loading over S3: one rank of two, checked, ${one.toFixed(2)} s ${rate(sizes.rank, one)}; the whole checkpoint ${all.toFixed(2)} s ${rate(sizes.whole, all)}; ${(all / one).toFixed(2)} times as fast`,
    );
    client.destroy();
  } finally {
    await service.close();
  }
}

try {
  console.log(machine());
  const source = join(root, '1gb');
  const file = writeSyntheticCheckpoint(source, GIGABYTE);
  await benchSharding(source, file);
  await benchLoading(source);
} finally {
  rmSync(root, { recursive: true, force: true });
}
