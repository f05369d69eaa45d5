import { readdir, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { layoutSafetensors } from '#burnish/checkpoint/safetensors/layout.js';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import { StoppingProgress } from '../../support/stopping-progress.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { contentOf, quantize } from '../resuming/support.js';
import { type ModelSizes, randomModel } from './random-models.js';
import { shard, writeModel } from './support.js';

const SIZES: ModelSizes = {
  ...{ headSize: 16, heads: 8, keyValueHeads: 2, hidden: 64, width: 96 },
  ...{ layers: 5, vocabulary: 200, experts: 6, tied: false },
};
/** Of the model of those sizes: 9 of each block, and three others. */
const TENSORS = 48;
const FIXTURE = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));

async function model(): Promise<string> {
  const { config, tensors } = randomModel('llama', SIZES);
  return writeModel(config, tensors);
}

/** Shards until so many tensors are done besides the first. */
async function shardPart(
  source: string,
  settings: Readonly<Record<string, string | number>>,
  change: Partial<StepRun>,
  tensors: number,
): Promise<void> {
  const stop = new AbortController();
  const outputFolder = temporaryFolder();
  const progress = new StoppingProgress(stop, 'sharding', tensors);
  const run = shard(source, settings, { ...change, outputFolder, progress, signal: stop.signal });
  await expect(run).rejects.toThrow('stopped');
  expect(await readdir(outputFolder)).toEqual([]);
}

describe('sharding that was stopped', () => {
  it.each([
    { TENSOR_PARALLEL_DEGREE: 2, PIPELINE_PARALLEL_DEGREE: 2 },
    { TENSOR_PARALLEL_DEGREE: 4, SHARD_LAYOUT: 'chunked' },
  ])('gives the same bytes when it goes on: %j', async (settings) => {
    const source = await model();
    const whole = await shard(source, settings);
    const resumeFolder = temporaryFolder();
    await shardPart(source, settings, { resumeFolder }, 3);
    await shardPart(source, settings, { resumeFolder }, 5);
    const { folder, log, report } = await shard(source, settings, { resumeFolder });
    const [, finished = ''] =
      /going on from (\d+) finished tensors of 48/.exec(log.join('\n')) ?? [];
    // The first of each attempt, and those that it was stopped after; others were on their way.
    expect(Number(finished)).toBeGreaterThanOrEqual(2 + 3 + 5);
    expect(Number(finished)).toBeLessThanOrEqual(TENSORS);
    expect(await contentOf(folder)).toEqual(await contentOf(whole.folder));
    expect(report.complete).toBe(true);
  });

  it('goes on with what another quantization of the same model left, whose report is another', async () => {
    const settings = { TENSOR_PARALLEL_DEGREE: 2 };
    const rtn = { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' };
    const [first, second] = [await quantize(FIXTURE, rtn), await quantize(FIXTURE, rtn)];
    const resumeFolder = temporaryFolder();
    await shardPart(first.output, settings, { resumeFolder }, 3);
    await rename(join(resumeFolder, 'own'), join(resumeFolder, 'offered'));
    const change = { resumeFolder, outputFolder: temporaryFolder() };
    const { log } = await shard(second.output, settings, change);
    expect(log.join('\n')).toMatch(/going on from [1-9]\d* finished tensors/);
    const whole = await shard(second.output, settings, { outputFolder: temporaryFolder() });
    expect(await contentOf(change.outputFolder)).toEqual(await contentOf(whole.folder));
  });

  it('does not go on into other degrees', async () => {
    const source = await model();
    const resumeFolder = temporaryFolder();
    await shardPart(source, { TENSOR_PARALLEL_DEGREE: 2 }, { resumeFolder }, 3);
    await rename(join(resumeFolder, 'own'), join(resumeFolder, 'offered'));
    const other = shard(source, { TENSOR_PARALLEL_DEGREE: 4 }, { resumeFolder });
    await expect(other).rejects.toThrow('OPTION_TENSOR_PARALLEL_DEGREE was 2 and is 4');
    expect(await readdir(resumeFolder)).toEqual(['offered']);
  });

  it('leaves nothing where there is no folder to keep it in', async () => {
    await shardPart(await model(), { TENSOR_PARALLEL_DEGREE: 2 }, {}, 3);
  });
});

/** Writes a model with a vocabulary of so many tokens, its file one hole behind the header. */
async function hollowModel(vocabulary: number): Promise<string> {
  const { config, tensors } = randomModel('llama', { ...SIZES, layers: 1 });
  const source = await writeModel({ ...config, vocab_size: vocabulary }, []);
  const enlarged = tensors.map(({ name, dtype, shape: [rows = 0, ...others] }) => ({
    ...{ name, dtype: dtype as 'BF16' },
    shape: [rows === SIZES.vocabulary ? vocabulary : rows, ...others],
  }));
  const path = join(source, 'model.safetensors');
  const { header, size } = layoutSafetensors(enlarged, { format: 'pt' }, 'model.safetensors');
  await writeFile(path, header);
  await truncate(path, size);
  return source;
}

describe('the largest tensor', () => {
  it('goes first, so that too little memory is told before the rest', async () => {
    const outputFolder = temporaryFolder();
    const log: string[] = [];
    const run = shard(
      await model(),
      { TENSOR_PARALLEL_DEGREE: 2 },
      { outputFolder, memoryBytes: 30_000_000, log: (line) => log.push(line) },
    );
    await expect(run).rejects.toThrow(
      /sharding (lm_head|model\.embed_tokens)\.weight took the process to [\d.]+ [MG]B, but it may take 30\.00 MB/,
    );
    expect(log.join('\n')).not.toContain('went through');
    expect(await readdir(outputFolder)).toEqual([]);
  });

  it('is not begun where the ranks have no room on the disk', async () => {
    const run = shard(await hollowModel(2 ** 34), { TENSOR_PARALLEL_DEGREE: 2 });
    await expect(run).rejects.toThrow(
      /the result needs \d{13,} bytes, but the output's disk has \d+ left/,
    );
  });
});
