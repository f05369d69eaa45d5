// Data-free quantization of a synthetic bf16 checkpoint, the optimizer's whole process against `cp` of
// the same file, in turn in one run; and its peak memory at a size and at four times that.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine, median } from '../support/measure.mjs';
import { timeCopy, timeStep } from '../support/optimizer-step.mjs';
import { writeSyntheticCheckpoint } from '../support/synthetic-checkpoint.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const GIGABYTE = 1e9;

const TECHNIQUES = {
  'fp8 dynamic': { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' },
  'int4 group 128': { OPTION_QUANTIZE: 'rtn' },
  'int8 w8a8': { OPTION_QUANTIZE: 'int8' },
};

const root = mkdtempSync(join(tmpdir(), 'burnish-bench-'));

// The synthetic weights are noise: there is nothing for an evaluation to measure.
const optimize = (source, environment) =>
  timeStep(root, source, 'quantization', { ...environment, OPTION_EVALUATE: 'false' });

try {
  console.log(machine());
  const source = join(root, '1gb');
  const file = writeSyntheticCheckpoint(source, GIGABYTE);
  const bytes = statSync(file).size;
  const runs = { cp: [] };
  for (const name of Object.keys(TECHNIQUES)) runs[name] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const results = { cp: await timeCopy(root, file) };
    for (const [name, settings] of Object.entries(TECHNIQUES)) {
      results[name] = await optimize(source, settings);
    }
    // The first round warms the page cache and is not counted.
    if (round > 0) for (const [name, result] of Object.entries(results)) runs[name].push(result);
  }
  const seconds = (name) => median(runs[name].map((run) => run.seconds));
  console.log(`${(bytes / GIGABYTE).toFixed(2)} GB bf16, medians of ${ROUNDS} rounds`);
  for (const name of Object.keys(runs)) {
    const ratio = median(runs[name].map((run, index) => runs.cp[index].seconds / run.seconds));
    const peak = Math.max(...runs[name].map((run) => run.peakBytes)) / 1e6;
    console.log(
      `${name.padEnd(16)} ${seconds(name).toFixed(2)} s  ${(bytes / seconds(name) / GIGABYTE).toFixed(2)} GB/s  ${ratio.toFixed(2)} of cp  peak ${peak.toFixed(0)} MB`,
    );
  }
  rmSync(source, { recursive: true });
  const large = join(root, '4gb');
  writeSyntheticCheckpoint(large, 4 * GIGABYTE);
  for (const [name, settings] of Object.entries(TECHNIQUES)) {
    const { seconds: took, peakBytes } = await optimize(large, settings);
    console.log(
      `4 GB ${name.padEnd(16)} ${took.toFixed(2)} s  peak ${(peakBytes / 1e6).toFixed(0)} MB`,
    );
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
