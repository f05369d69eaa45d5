// Calibrated jobs from checkpoint to verified result: seconds, peak memory, and perplexity on held-out
// text, beside the source and rounding to nearest. Where a Python with llmcompressor or GPTQModel is
// named, they quantize the same layers of the same model in the same way with the same calibration
// tokens, in turn with ours, and their results are measured by the same engine. At the end stand
// medians over all schemes, as ratios.
//
//   node scripts/build.mjs && node bench/optimizer/calibration.bench.mjs
//     [--model DIR] [--calibration FILE] [--held-out FILE] [--samples N] [--tokens N]
//     [--eval-tokens N] [--schemes 4:128:sym,3:128:asym] [--techniques awq,gptq,gptaq]
//     [--llmcompressor PYTHON] [--gptqmodel PYTHON]
//
// A scheme is bits, group size (-1: one scale per channel) and whether groups have zero points. --model
// is the bundled checkpoint unless given; bench/optimizer/convert_smollm2.py makes one of
// SmolLM2-135M-Instruct.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readForwardModel } from '#burnish/checkpoint/architectures/forward/read-forward-model.js';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import { readTokenizer } from '#burnish/checkpoint/tokenizer/tokenizer.js';
import { chooseSamples } from '#burnish/optimizer/calibration/samples.js';
import { measurePerplexity } from '#burnish/optimizer/evaluation/perplexity.js';
import { cutWindows } from '#burnish/optimizer/evaluation/predictions.js';
import { Sessions } from '#burnish/optimizer/forward/runtime/session.js';
import { StoredWeights } from '#burnish/optimizer/forward/weights/stored-weights.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import { machine, median, timeProcess } from '../support/measure.mjs';

const fromRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const { values: given } = parseArgs({
  options: {
    model: { type: 'string', default: fromRoot('fixtures/shakespeare-llama') },
    calibration: {
      type: 'string',
      default: fromRoot('fixtures/shakespeare-llama-calibration.txt'),
    },
    'held-out': { type: 'string', default: fromRoot('fixtures/shakespeare-llama-heldout.txt') },
    samples: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '256' },
    'eval-tokens': { type: 'string', default: '16384' },
    schemes: { type: 'string', default: '4:128:sym,3:128:asym,2:64:asym' },
    techniques: { type: 'string', default: 'awq,gptq,gptaq' },
    llmcompressor: { type: 'string' },
    gptqmodel: { type: 'string' },
  },
});
const seed = 42;
const folder = mkdtempSync(join(tmpdir(), 'burnish-bench-'));
const checkpoint = await openCheckpoint(given.model);
const model = readForwardModel(checkpoint.config, checkpoint.tensors);
const tokenizer = await readTokenizer(checkpoint.files);
const windowLength = Math.min(model.maxPositions, 2048);

/** Perplexity of a checkpoint in any form that is known here. */
const heldOut = tokenizer
  .encode(readFileSync(given['held-out'], 'utf8'), false)
  .subarray(0, Number(given['eval-tokens']));
async function perplexityOf(path) {
  const { tensors } = await openCheckpoint(path);
  const files = new TensorFiles(tensors);
  const sessions = new Sessions();
  const { signal } = new AbortController();
  try {
    const predictions = cutWindows(heldOut, windowLength);
    const options = { sessions, signal };
    return await measurePerplexity(model, new StoredWeights(files), predictions, options, () => {});
  } finally {
    await sessions.close();
    await files.close();
  }
}

/** One job of the optimizer's program, as an executor starts it. */
async function ours(name, environment) {
  const output = join(folder, name);
  mkdirSync(output);
  const step = join(folder, `${name}.json`);
  const calibrated = environment.OPTION_QUANTIZE !== 'rtn';
  writeFileSync(
    step,
    JSON.stringify({
      technique: 'quantization',
      environment: {
        OPTION_EVALUATE: 'false',
        ...(calibrated && {
          OPTION_CALIB_SIZE: given.samples,
          OPTION_CALIB_SEED: String(seed),
          OPTION_MAX_MODEL_LEN: given.tokens,
          OPTION_CALIB_DATASET: 's3://bench/calibration',
        }),
        ...environment,
      },
      datasets: { OPTION_CALIB_DATASET: given.calibration },
    }),
  );
  const measured = await timeProcess(process.execPath, [fromRoot('dist/optimizer/main.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      SM_NEO_INPUT_MODEL_DIR: given.model,
      SM_NEO_COMPILED_MODEL_DIR: output,
      BURNISH_STEP_FILE: step,
    },
  });
  return { ...measured, output };
}

/** The very tokens that our jobs choose, for the others. */
const samplesFile = join(folder, 'samples.json');
const source = { kind: 'running', text: readFileSync(given.calibration, 'utf8') };
const request = { samples: Number(given.samples), sampleTokens: Number(given.tokens), seed };
writeFileSync(
  samplesFile,
  JSON.stringify(chooseSamples(source, tokenizer, request).map((ids) => [...ids])),
);

/** The same by another toolkit. */
async function theirs(toolkit, technique, [bits, groupSize, symmetry]) {
  const output = join(folder, `${toolkit}-${technique}`);
  const script = fromRoot(`bench/optimizer/${toolkit}_job.py`);
  const measured = await timeProcess(
    given[toolkit],
    [script, technique, bits, groupSize, symmetry, given.model, samplesFile, output],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  return { ...measured, output };
}

/** What each of ours is held against. */
const PEERS = {
  awq: [['llmcompressor', 'awq']],
  gptq: [
    ['llmcompressor', 'gptq'],
    ['gptqmodel', 'gptq'],
  ],
  gptaq: [],
};
const runs = new Map();

/** Measures a result, shows it, and takes it away. */
async function show(name, { seconds, peakBytes, output }, before, nearest) {
  const perplexity = await perplexityOf(output);
  rmSync(output, { recursive: true });
  runs.set(name, [...(runs.get(name) ?? []), { seconds, peakBytes }]);
  const won =
    nearest === undefined ? '' : percent((nearest - perplexity) / (nearest - before)).padStart(7);
  console.log(
    `  ${name.padEnd(24)} ${seconds.toFixed(1).padStart(8)} s ${(peakBytes / 1e6).toFixed(0).padStart(7)} MB   perplexity ${perplexity.toFixed(3)} ${won}`,
  );
  return perplexity;
}

const percent = (share) => `${(share * 100).toFixed(0)} %`;

try {
  console.log(machine());
  console.log(
    `${given.model}: ${given.samples} samples of ${given.tokens} tokens; perplexity over ${heldOut.length} tokens in windows of ${windowLength}`,
  );
  const before = await perplexityOf(given.model);
  console.log(
    `  source: perplexity ${before.toFixed(3)}; at the end of lines the part of the loss`,
  );
  console.log('  of rounding to nearest that was won back');
  for (const scheme of given.schemes.split(',').map((text) => text.split(':'))) {
    const [bits, groupSize, symmetry] = scheme;
    console.log(`${bits} bits, group size ${groupSize}, ${symmetry}`);
    const environment = (technique) => {
      const key = `OPTION_${technique.toUpperCase()}`;
      return {
        OPTION_QUANTIZE: technique,
        [`${key}_WEIGHT_BIT_WIDTH`]: bits,
        [`${key}_BLOCK_SIZE`]: groupSize,
        [`${key}_ZERO_POINT`]: String(symmetry === 'asym'),
        ...(technique !== 'rtn' && { [`${key}_FORMAT`]: 'compressed-tensors' }),
      };
    };
    const nearest = await show('rtn', await ours('rtn', environment('rtn')), before);
    for (const technique of given.techniques.split(',')) {
      await show(technique, await ours(technique, environment(technique)), before, nearest);
      for (const [toolkit, name] of PEERS[technique]) {
        if (given[toolkit] === undefined) continue;
        await show(`${toolkit} ${name}`, await theirs(toolkit, name, scheme), before, nearest);
      }
    }
  }
  const middle = (name, what) => median((runs.get(name) ?? []).map((run) => run[what]));
  for (const technique of given.techniques.split(',')) {
    for (const [toolkit, name] of PEERS[technique]) {
      const peer = `${toolkit} ${name}`;
      if (!runs.has(peer)) continue;
      const times = middle(peer, 'seconds') / middle(technique, 'seconds');
      const memory = middle(technique, 'peakBytes') / middle(peer, 'peakBytes');
      console.log(
        `${technique}: ${times.toFixed(1)} times as fast as ${peer}, ${memory.toFixed(2)} of its memory`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
