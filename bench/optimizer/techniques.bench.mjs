// Speed of the calibrated techniques on one family of one layer, as large as those of models that
// people quantize, with made-up weights and inputs. First the dense products that they stand on, in
// GFLOP/s; then seconds for scaling and for encoding.
//
//   node scripts/build.mjs && node bench/optimizer/techniques.bench.mjs [--rows N] [--columns N] [--threads N]
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { factor } from '#burnish/optimizer/linear-algebra/factor.js';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { awq } from '#burnish/optimizer/techniques/awq.js';
import { fp8Static } from '#burnish/optimizer/techniques/fp8-static.js';
import { gptaq } from '#burnish/optimizer/techniques/gptaq.js';
import { gptq } from '#burnish/optimizer/techniques/gptq.js';
import { smoothQuant } from '#burnish/optimizer/techniques/smoothquant.js';

const { values: given } = parseArgs({
  options: {
    rows: { type: 'string', default: '4096' },
    columns: { type: 'string', default: '4096' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [rows, columns, threads] = [given.rows, given.columns, given.threads].map(Number);

let state = 1;
/** Roughly normal numbers, the same in every run. */
function normal() {
  let sum = -2;
  for (let i = 0; i < 4; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    sum += state / 2 ** 32;
  }
  return sum;
}

const seconds = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const show = (name, figure, unit) =>
  console.log(`  ${name.padEnd(44)} ${figure.padStart(8)} ${unit}`);

const algebra = createLinearAlgebra(threads);
const context = { algebra, signal: new AbortController().signal };
console.log(`${cpus()[0]?.model}, ${threads} threads; ${rows} outputs, ${columns} inputs`);

const inputs = new Float32Array(columns * columns);
const sizes = Array.from({ length: columns }, () => Math.exp(3 * normal()));
for (let at = 0; at < inputs.length; at++) inputs[at] = normal() * sizes[at % columns];
const x = { rows: columns, columns, values: inputs };
let gram;
const product = await seconds(async () => {
  gram = await algebra.multiply(x, x, { transposeA: true });
});
show('product of two square matrices', ((2 * columns ** 3) / product / 1e9).toFixed(0), 'GFLOP/s');
for (let i = 0; i < columns; i++) gram.values[i * (columns + 1)] *= 1.01;
const factoring = await seconds(() => factor(algebra, gram, undefined, context.signal));
show('triangular factor', (columns ** 3 / 3 / factoring / 1e9).toFixed(0), 'GFLOP/s');

const mean = sizes.map((size) => size / 2);
const family = {
  name: 'family',
  weights: [{ name: 'layer', rows, columns, values: new Float32Array(rows * columns).map(normal) }],
  inputs: {
    columns,
    tokens: columns,
    gram: gram.values,
    meanMagnitude: Float32Array.from(mean),
    largestMagnitude: Float32Array.from(sizes),
  },
  preceding: {
    kind: 'norm',
    name: 'norm',
    weight: new Float32Array(columns).fill(1),
    addsOne: false,
    storedAs: 'BF16',
    alsoFeeds: [],
  },
};
const grid = { bits: 4, groupSize: 128, symmetric: true, scaleType: 'F16' };
const compensation = { grid, order: 'activity', damping: 0.01, range: 'search' };
const TECHNIQUES = {
  awq: awq({ grid, clip: true }),
  gptq: gptq(compensation),
  'gptq, refined': gptq({ ...compensation, refine: { sweeps: 3, scales: true } }),
  gptaq: gptaq({ grid, order: 'activity', damping: 0.05, scaling: false, sweeps: 0 }),
  smoothquant: smoothQuant({ migrationStrength: 0.5, scaleType: 'F32' }),
  'fp8, static': fp8Static({ weightScales: 'row', scaleType: 'F32' }),
};
for (const [name, technique] of Object.entries(TECHNIQUES)) {
  if (technique.scale !== undefined) {
    show(
      `${name}: scaling`,
      (await seconds(() => technique.scale(family, context))).toFixed(2),
      's',
    );
  }
  let encoded;
  const time = await seconds(async () => {
    encoded = await technique.encode(family, context);
  });
  show(`${name}: encoding`, time.toFixed(2), 's');
  show('  relative error of the output', encoded.layers[0].error.output.toFixed(5), '');
}
console.log(`  largest resident memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
await algebra.close();
