import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipeline } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { FORWARD_NAMES } from '#burnish/checkpoint/architectures/forward/table.js';
import { readSafetensors } from '#burnish/checkpoint/safetensors/reader.js';
import {
  CachedDecoder,
  mostLikely,
} from '#burnish/optimizer/compilation/measure/cached-decoder.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import { compile, compiledLogits } from '../optimizer/compilation/compiling.js';
import { INTEROP_PYTHON } from '../support/interop-python.js';
import { largestDifference } from '../support/model-states.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const here = dirname(fileURLToPath(import.meta.url));
const MODEL = join(here, '..', '..', 'fixtures', 'shakespeare-llama');
const PROMPT_TOKENS: readonly number[] = Array.from(
  { length: 40 },
  (_, index) => (index * 37 + 11) % 1024,
);
const PROMPT = 'ROMEO:\nO, she doth teach';

function python(script: string, ...args: readonly string[]): string {
  if (INTEROP_PYTHON === undefined) throw new Error('there is no Python');
  return execFileSync(INTEROP_PYTHON, [join(here, script), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The tokens that a graph of the bundled model makes most likely, one after the other. */
async function greedyTokens(
  graph: string,
  element: 'float32' | 'float16',
  prompt: readonly number[],
  count: number,
): Promise<readonly number[]> {
  const decoder = await CachedDecoder.open(graph, 'all', {
    element,
    positions: 256,
    blocks: Array.from({ length: 4 }, () => ({ heads: 4, headSize: 32 })),
  });
  const tokens: number[] = [];
  let step = prompt;
  while (tokens.length < count) {
    const next = mostLikely(await decoder.read(step), 1024);
    tokens.push(next);
    step = [next];
  }
  await decoder.close();
  return tokens;
}

describe.skipIf(INTEROP_PYTHON === undefined)('compiled graphs beside Transformers', () => {
  const folder = temporaryFolder('compiled-interop');

  it('gives its logits for every architecture, in files that the checker of ONNX takes', async () => {
    python('tiny_checkpoints.py', folder);
    const names = readdirSync(folder).filter((name) => !name.endsWith('.expected'));
    for (const architecture of FORWARD_NAMES) {
      expect(names.some((name) => name.startsWith(architecture))).toBe(true);
    }
    for (const name of names) {
      const reference = join(folder, `${name}.expected`);
      const file = await readSafetensors(join(reference, 'expected.safetensors'));
      const files = new TensorFiles(new Map(file.tensors.map((tensor) => [tensor.name, tensor])));
      const found = files.find('logits');
      const expected = await files.floats(found, 0, found.length / 4);
      await files.close();
      const all: number[] = JSON.parse(readFileSync(join(reference, 'ids.json'), 'utf8'));
      const config = JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8'));
      // Beyond the length the model was made for a graph has no positions; all before it are the same.
      const dynamic = name.includes('dynamic');
      const ids = dynamic ? all.slice(0, config.max_position_embeddings) : all;
      const compiled = await compile(join(folder, name));
      python('check_graphs.py', join(compiled.folder, compiled.step.graph.file));
      const logits = await compiledLogits(join(folder, name), compiled, ids);
      if (dynamic) {
        expect(logits.every(Number.isFinite)).toBe(true);
        continue;
      }
      expect(largestDifference(logits, expected), name).toBeLessThan(1e-3);
    }
  });

  it('goes on for 200 tokens with the very same ones', async () => {
    const compiled = await compile(MODEL);
    const prompt = PROMPT_TOKENS;
    const expected = JSON.parse(
      python('greedy_tokens.py', MODEL, '200', ...prompt.map(String)),
    ) as number[];
    expect(await greedyTokens(join(compiled.folder, 'model.onnx'), 'float32', prompt, 200)).toEqual(
      expected,
    );
  });

  it('is loaded by onnxruntime-genai as it is, which goes on for 200 tokens with the very same ones', async () => {
    const prompt = PROMPT_TOKENS.map(String);
    const { folder } = await compile(MODEL);
    expect(JSON.parse(python('genai_tokens.py', folder, '200', ...prompt))).toEqual(
      JSON.parse(python('greedy_tokens.py', MODEL, '200', ...prompt)),
    );
  });

  // Its ONNX Runtime is another version than ours, and sums in another order: where two tokens are all but
  // equally likely after some text, either may win.
  it.each([
    ['fp16', 'float16'],
    ['int8', 'float32'],
    ['int4', 'float32'],
  ] as const)('is loaded by onnxruntime-genai in %s', async (dtype, element) => {
    const { folder } = await compile(MODEL, { OPTION_DTYPE: dtype });
    const theirs: number[] = JSON.parse(
      python('genai_tokens.py', folder, '40', ...PROMPT_TOKENS.map(String)),
    );
    const ours = await greedyTokens(join(folder, 'model.onnx'), element, PROMPT_TOKENS, 40);
    expect(theirs).toHaveLength(40);
    expect(theirs.slice(0, 4)).toEqual(ours.slice(0, 4));
  });
});

describe('compiled folders', () => {
  it.each([
    ['fp32', 'fp32'],
    ['fp16', 'fp16'],
    ['int8', 'int8'],
    ['int4', 'q4'],
  ] as const)('are loaded by Transformers.js as they are: %s', async (dtype, theirs) => {
    const { folder } = await compile(MODEL, {
      OPTION_DTYPE: dtype,
      OPTION_COMPILE_LAYOUT: 'transformers_js',
    });
    const generate = await pipeline('text-generation', folder, {
      dtype: theirs,
      local_files_only: true,
    });
    const [answer] = await generate(PROMPT, { max_new_tokens: 24, do_sample: false });
    await generate.dispose();
    const text = JSON.stringify(answer);
    expect(text).toContain('ROMEO');
    expect(text.length).toBeGreaterThan(PROMPT.length + 40);
  });
});
