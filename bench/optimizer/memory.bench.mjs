// What jobs are expected to take of memory before they start, beside the peaks of the optimizer's process
// with those that it starts: one block of random weights at two widths, and a whole checkpoint of 492 MB,
// with the bundled checkpoint's tokenizer.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateNeeds } from '../../dist/jobs/admission/estimate-needs.js';
import { measureSource } from '../../dist/jobs/admission/measure-source.js';
import { openEmbeddedStore } from '../../dist/objects/embedded-store/embedded-store.js';
import { machine } from '../support/measure.mjs';
import { timeStep } from '../support/optimizer-step.mjs';
import { writeSyntheticCheckpoint } from '../support/synthetic-checkpoint.mjs';

const TOKENIZER = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const NARROW = { hidden: 1024, intermediate: 2816, vocabulary: 8000, keyValue: 256 };
const WIDE = { hidden: 2048, intermediate: 5632, vocabulary: 16_000, keyValue: 512 };
const calibrated = (technique, samples, tokens) => ({
  OPTION_QUANTIZE: technique,
  OPTION_EVALUATE: 'false',
  OPTION_CALIB_SIZE: String(samples),
  OPTION_MAX_MODEL_LEN: String(tokens),
});
const QUANTIZATIONS = {
  'rtn, no evaluation': { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
  'rtn, evaluated on 4,096 tokens': { OPTION_QUANTIZE: 'rtn', OPTION_EVAL_TOKENS: '4096' },
  'rtn, evaluated on 8,192 tokens': { OPTION_QUANTIZE: 'rtn', OPTION_EVAL_TOKENS: '8192' },
  'gptq, 8 samples of 512': calibrated('gptq', 8, 512),
  'gptaq, 8 samples of 512': calibrated('gptaq', 8, 512),
  'awq, 8 samples of 512': calibrated('awq', 8, 512),
  'smoothquant, 8 samples of 512': calibrated('smoothquant', 8, 512),
  'gptq, 8 samples of 2,048': calibrated('gptq', 8, 2048),
};
const compiled = (dtype, more) => ({ OPTION_DTYPE: dtype, OPTION_EVALUATE: 'false', ...more });
const REWRITTEN = { OPTION_COMPILE_TARGET: 'this_machine', OPTION_COMPILE_MEASURE: 'false' };
const COMPILATIONS = {
  'compiled to int4': compiled('int4'),
  'compiled to fp16': compiled('fp16'),
  'compiled to int4 for this machine, not measured': compiled('int4', REWRITTEN),
  'compiled to fp32 for this machine, not measured': compiled('fp32', REWRITTEN),
};
const SHARDINGS = { 'sharded for 2 ranks': { OPTION_TENSOR_PARALLEL_DEGREE: '2' } };
/** Checkpoints of about so many bytes, and what is done to them. */
const MODELS = [
  [NARROW, 1, { quantization: QUANTIZATIONS }],
  [WIDE, 1, { quantization: QUANTIZATIONS }],
  [WIDE, 5e8, { compilation: COMPILATIONS, sharding: SHARDINGS }],
];
const PLACE = { copiesSources: false, roomBytes: totalmem(), diskBytes: 1e12 };

const root = mkdtempSync(join(tmpdir(), 'burnish-bench-'));
try {
  const store = await openEmbeddedStore(root);
  console.log(`${machine()}\n`);
  console.log('| width | weights | | peak | expected | times the peak |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [sizes, bytes, techniques] of MODELS) {
    const name = `model-${sizes.hidden}-${bytes}`;
    const folder = join(root, 'buckets', 'models', name);
    writeSyntheticCheckpoint(folder, bytes, sizes);
    for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
      cpSync(join(TOKENIZER, file), join(folder, file));
    }
    nameEnd(join(folder, 'config.json'));
    const location = { bucket: 'models', key: name };
    const source = await measureSource(store, location, AbortSignal.timeout(10_000));
    for (const [technique, cases] of Object.entries(techniques)) {
      for (const [what, environment] of Object.entries(cases)) {
        const step = { technique, optimizationType: technique, image: undefined, environment };
        const { memoryBytes } = estimateNeeds(source, [step], PLACE);
        const { peakBytes } = await timeStep(root, folder, technique, environment);
        const megabytes = (count) => `${Math.round(count / 1e6)} MB`;
        console.log(
          `| ${sizes.hidden} | ${megabytes(source.weightBytes)} | ${what} | ${megabytes(peakBytes)} | ${megabytes(memoryBytes)} | ${(memoryBytes / peakBytes).toFixed(2)} |`,
        );
      }
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** A compiled folder says by which token a text ends. */
function nameEnd(path) {
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, bos_token_id: 0, eos_token_id: 1 }));
}
