import { spawn } from 'node:child_process';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateOptimizationJobCommand } from '@aws-sdk/client-sagemaker';
import { Tokenizer } from '@huggingface/tokenizers';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readForwardModel } from '#burnish/checkpoint/architectures/forward/read-forward-model.js';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import {
  CachedDecoder,
  mostLikely,
} from '#burnish/optimizer/compilation/measure/cached-decoder.js';
import { createRequest } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const SERVER = join(import.meta.dirname, '../../examples/browser/serve.mjs');
const FIXTURE = join(import.meta.dirname, '../../fixtures/shakespeare-llama');
const PROMPT = 'ROMEO:\n';
const TOKENS = 60;

let service: RunningService;
let browser: Browser;

beforeAll(async () => {
  service = await startTestService();
  const bucket = join(service.dataDir, 'buckets', 'models');
  await mkdir(bucket, { recursive: true });
  await cp(FIXTURE, join(bucket, 'source'), { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.BURNISH_TEST_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking'],
  });
});

afterAll(async () => {
  await browser?.close();
  await service?.close();
});

/** Compiles the bundled model in a job and opens the page on the result. */
async function open(dtype: string): Promise<{ readonly folder: string; readonly page: Page }> {
  await service.sagemaker.send(
    new CreateOptimizationJobCommand(
      createRequest({
        OptimizationJobName: dtype,
        OptimizationEnvironment: {
          OPTION_DTYPE: dtype,
          OPTION_COMPILE_LAYOUT: 'transformers_js',
          OPTION_EVALUATE: 'false',
          OPTION_COMPILE_MEASURE: 'false',
        },
        OptimizationConfigs: [{ ModelCompilationConfig: {} }],
        OutputConfig: { S3OutputLocation: `s3://models/${dtype}` },
      }) as never,
    ),
  );
  const job = await service.ended(dtype);
  expect(job.FailureReason).toBeUndefined();
  const folder = join(service.dataDir, 'buckets', 'models', dtype);
  const page = await browser.newPage();
  // The test's own time is what ends a wait.
  page.setDefaultTimeout(0);
  onTestFinished(() => page.close());
  await page.goto(await serve(folder));
  const status = page.locator('#status');
  await status.filter({ hasNotText: 'Loading' }).waitFor();
  expect(await status.textContent()).toMatch(/^Loaded in/);
  return { folder, page };
}

/** Serves a compiled model to the browser. @returns the URL of the page */
function serve(folder: string): Promise<string> {
  const server = spawn(process.execPath, [SERVER, folder, '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    server.kill();
  });
  return new Promise((resolve, reject) => {
    server.stdout.once('data', (line: Buffer) => resolve(String(line).split(' ').at(-1) ?? ''));
    server.once('exit', (code) => reject(new Error(`the page's server ended with ${code}`)));
  });
}

async function readTokenizer(): Promise<Tokenizer> {
  const [tokenizer, config] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json'].map(async (name) =>
      JSON.parse(await readFile(join(FIXTURE, name), 'utf8')),
    ),
  );
  return new Tokenizer(tokenizer, config);
}

/** The tokens that the graph itself makes most likely, one after the other. */
async function generate(graph: string, prompt: readonly number[]): Promise<readonly number[]> {
  const { config, tensors } = await openCheckpoint(FIXTURE);
  const { blocks, vocabulary, maxPositions } = readForwardModel(config, tensors);
  const decoder = await CachedDecoder.open(graph, 'all', {
    element: 'float32',
    positions: maxPositions,
    blocks: blocks.map(({ attention: { keyValueHeads: heads, headSize } }) => ({
      heads,
      headSize,
    })),
  });
  const ids: number[] = [];
  let next = mostLikely(await decoder.read(prompt), vocabulary);
  for (;;) {
    ids.push(next);
    if (ids.length === TOKENS) break;
    next = mostLikely(await decoder.read([next]), vocabulary);
  }
  await decoder.close();
  return ids;
}

describe('the page of a compiled model', () => {
  it.each([
    ['fp32', 'onnx/model.onnx'],
    ['int4', 'onnx/model_q4.onnx'],
  ])('writes what ONNX Runtime writes outside a browser, %s', async (dtype, graph) => {
    const { folder, page } = await open(dtype);
    await page.getByLabel('A beginning').fill(PROMPT);
    await page.getByLabel('Tokens').fill(String(TOKENS));
    await page.getByRole('button').click();
    await page.locator('#status').filter({ hasText: 'a second' }).waitFor();
    const text = await page.locator('output').textContent();

    // As text, since the browser knows nothing of what the test's compiler makes of an import.
    const ids: number[] = await page.evaluate(
      `import('/model.js').then(async ({ loadModel }) =>
        (await loadModel()).generate(${JSON.stringify(PROMPT)}, ${TOKENS}))`,
    );
    const tokenizer = await readTokenizer();
    expect(text).toBe(PROMPT + tokenizer.decode(ids));
    expect(ids).toHaveLength(TOKENS);
    expect(ids).toEqual(await generate(join(folder, graph), tokenizer.encode(PROMPT).ids));
  });
});
