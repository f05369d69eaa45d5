// Calibrated jobs from checkpoint to verified result: seconds, peak memory, and perplexity before and
// after on held-out text. Where a Python with llmcompressor is named, it quantizes the same model with
// the same techniques and the same calibration tokens in the same run, and its results are measured by
// the same engine as ours.
//
//   node scripts/build.mjs && node bench/optimizer/calibration.bench.mjs
//     [--model DIR] [--calibration FILE] [--held-out FILE] [--samples N] [--tokens N]
//     [--eval-tokens N] [--techniques awq,gptq] [--python PYTHON]
//
// --model is the bundled checkpoint unless given; bench/optimizer/convert_smollm2.py makes one of
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
import { machine, timeProcess } from '../support/measure.mjs';

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
    techniques: { type: 'string', default: 'awq,gptq' },
    python: { type: 'string' },
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

/** The same by llmcompressor, on the very tokens that our jobs choose. */
async function theirs(technique, scheme) {
  const output = join(folder, `llmcompressor-${technique}`);
  const samples = join(folder, 'samples.json');
  const source = { kind: 'running', text: readFileSync(given.calibration, 'utf8') };
  const request = { samples: Number(given.samples), sampleTokens: Number(given.tokens), seed };
  const chosen = chooseSamples(source, tokenizer, request);
  writeFileSync(samples, JSON.stringify(chosen.map((ids) => [...ids])));
  const script = fromRoot('bench/optimizer/llmcompressor_job.py');
  const measured = await timeProcess(
    given.python,
    [script, technique, scheme, given.model, samples, output],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  return { ...measured, output };
}

const show = (name, { seconds, peakBytes }, perplexity) =>
  console.log(
    `  ${name.padEnd(44)} ${seconds.toFixed(1).padStart(8)} s ${(peakBytes / 1e6).toFixed(0).padStart(7)} MB   perplexity ${perplexity.toFixed(3)}`,
  );

try {
  console.log(machine());
  console.log(
    `${given.model}: ${given.samples} samples of ${given.tokens} tokens; perplexity over ${heldOut.length} tokens in windows of ${windowLength}`,
  );
  console.log(`  source: perplexity ${(await perplexityOf(given.model)).toFixed(3)}`);
  const schemes = {
    awq: { asymmetric: true, environment: { OPTION_QUANTIZE: 'awq' } },
    gptq: { asymmetric: false, environment: { OPTION_QUANTIZE: 'gptq' } },
  };
  for (const technique of given.techniques.split(',')) {
    const { asymmetric, environment } = schemes[technique];
    const kind = asymmetric ? 'W4A16_ASYM' : 'W4A16';
    const nearest = await ours(`rtn-${technique}`, {
      OPTION_QUANTIZE: 'rtn',
      OPTION_RTN_ZERO_POINT: String(asymmetric),
    });
    show(`rounding to nearest, ${kind}`, nearest, await perplexityOf(nearest.output));
    const own = await ours(technique, environment);
    show(`${technique}, ${kind}`, own, await perplexityOf(own.output));
    if (given.python !== undefined) {
      const peer = await theirs(technique, kind);
      show(`llmcompressor ${technique}, ${kind}`, peer, await perplexityOf(peer.output));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
