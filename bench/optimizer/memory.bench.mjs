// What jobs are expected to take of memory before they start, beside the peaks of the optimizer's whole
// process: one block of random weights at two widths, with the bundled checkpoint's tokenizer.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateNeeds } from '../../dist/jobs/admission/estimate-needs.js';
import { measureSource } from '../../dist/jobs/admission/measure-source.js';
import { openEmbeddedStore } from '../../dist/objects/embedded-store/embedded-store.js';
import { machine } from '../support/measure.mjs';
import { timeStep } from '../support/optimizer-step.mjs';
import { writeSyntheticCheckpoint } from '../support/synthetic-checkpoint.mjs';

const TOKENIZER = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const SIZES = [
  { hidden: 1024, intermediate: 2816, vocabulary: 8000, keyValue: 256 },
  { hidden: 2048, intermediate: 5632, vocabulary: 16_000, keyValue: 512 },
];
const calibrated = (technique, samples, tokens) => ({
  OPTION_QUANTIZE: technique,
  OPTION_EVALUATE: 'false',
  OPTION_CALIB_SIZE: String(samples),
  OPTION_MAX_MODEL_LEN: String(tokens),
});
const CASES = {
  'rtn, no evaluation': { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
  'rtn, evaluated on 4,096 tokens': { OPTION_QUANTIZE: 'rtn', OPTION_EVAL_TOKENS: '4096' },
  'rtn, evaluated on 8,192 tokens': { OPTION_QUANTIZE: 'rtn', OPTION_EVAL_TOKENS: '8192' },
  'gptq, 8 samples of 512': calibrated('gptq', 8, 512),
  'awq, 8 samples of 512': calibrated('awq', 8, 512),
  'smoothquant, 8 samples of 512': calibrated('smoothquant', 8, 512),
  'gptq, 8 samples of 2,048': calibrated('gptq', 8, 2048),
};

const root = mkdtempSync(join(tmpdir(), 'burnish-bench-'));
try {
  const store = await openEmbeddedStore(root);
  console.log(`${machine()}\n`);
  console.log('| width | | peak | expected | times the peak |\n| --- | --- | --- | --- | --- |');
  for (const sizes of SIZES) {
    const name = `model-${sizes.hidden}`;
    const folder = join(root, 'buckets', 'models', name);
    writeSyntheticCheckpoint(folder, 1, sizes);
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
      cpSync(join(TOKENIZER, file), join(folder, file));
    }
    const location = { bucket: 'models', key: name };
    const source = await measureSource(store, location, AbortSignal.timeout(10_000));
    for (const [what, environment] of Object.entries(CASES)) {
      const { memoryBytes } = estimateNeeds(
        source,
        [
          {
            technique: 'quantization',
            optimizationType: 'Quantization',
            image: undefined,
            environment,
          },
        ],
        false,
      );
      const { peakBytes } = await timeStep(root, folder, 'quantization', environment);
      const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
      console.log(
        `| ${sizes.hidden} | ${what} | ${megabytes(peakBytes)} | ${megabytes(memoryBytes)} | ${(memoryBytes / peakBytes).toFixed(2)} |`,
      );
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
