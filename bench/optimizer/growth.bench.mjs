// How a calibrated job's time and peak memory grow with the number of blocks, with their width, and with
// the tokens of calibration: the optimizer's whole process on Llama checkpoints of random weights, with
// the bundled checkpoint's tokenizer and text. At the end of lines, time and memory beside those of the
// line before.
//
//   node scripts/build.mjs && node bench/optimizer/growth.bench.mjs [--techniques gptq,awq,gptaq]
//     [--rounds N]
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median } from '../support/measure.mjs';
import { timeStep } from '../support/optimizer-step.mjs';
import { writeSyntheticCheckpoint } from '../support/synthetic-checkpoint.mjs';

const { values: given } = parseArgs({
  options: {
    techniques: { type: 'string', default: 'gptq,awq,gptaq' },
    rounds: { type: 'string', default: '1' },
  },
});
const BUNDLED = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const SAMPLE_TOKENS = 512;
/** What one series varies; the rest stays as it is here. */
const BASE = { blocks: 4, hidden: 512, samples: 16 };
const SERIES = {
  blocks: [2, 4, 8, 16],
  hidden: [512, 1024, 2048],
  samples: [4, 8, 16, 32, 64],
};
const UNITS = {
  blocks: (count) => `${count} blocks`,
  hidden: (width) => `width ${width}`,
  samples: (count) => `${count * SAMPLE_TOKENS} tokens`,
};

const root = mkdtempSync(join(tmpdir(), 'burnish-bench-'));

/** Weights of the blocks alone; the vocabulary is kept small so that they are what counts. */
function writeModel({ blocks, hidden }) {
  const folder = join(root, `${blocks}x${hidden}`);
  const sizes = { hidden, intermediate: 2.75 * hidden, vocabulary: 8000, keyValue: hidden / 4 };
  const block = 2 * hidden * (2 * hidden + 2 * sizes.keyValue + 3 * sizes.intermediate + 2);
  writeSyntheticCheckpoint(folder, blocks * block + 4 * sizes.vocabulary * hidden, sizes);
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    cpSync(join(BUNDLED, file), join(folder, file));
  }
  return folder;
}

async function measure(technique, { samples, ...sizes }) {
  const source = writeModel(sizes);
  const runs = [];
  for (let round = 0; round < Number(given.rounds); round += 1) {
    runs.push(
      await timeStep(root, source, 'quantization', {
        OPTION_QUANTIZE: technique,
        OPTION_EVALUATE: 'false',
        OPTION_CALIB_SIZE: String(samples),
        OPTION_MAX_MODEL_LEN: String(SAMPLE_TOKENS),
      }),
    );
  }
  rmSync(source, { recursive: true });
  return {
    seconds: median(runs.map(({ seconds }) => seconds)),
    peakBytes: median(runs.map(({ peakBytes }) => peakBytes)),
  };
}

try {
  console.log(
    `${machine()}\n${BASE.blocks} blocks of width ${BASE.hidden}, ${BASE.samples * SAMPLE_TOKENS} tokens, but for what a line names`,
  );
  for (const technique of given.techniques.split(',')) {
    console.log(technique);
    for (const [what, values] of Object.entries(SERIES)) {
      let before;
      for (const value of values) {
        const found = await measure(technique, { ...BASE, [what]: value });
        const growth =
          before === undefined
            ? ''
            : `   ${(found.seconds / before.seconds).toFixed(2)}, ${(found.peakBytes / before.peakBytes).toFixed(2)}`;
        console.log(
          `  ${UNITS[what](value).padEnd(14)} ${found.seconds.toFixed(1).padStart(7)} s ${(found.peakBytes / 1e6).toFixed(0).padStart(6)} MB${growth}`,
        );
        before = found;
      }
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
