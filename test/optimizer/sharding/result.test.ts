import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ShardingStepReport } from '#burnish/optimizer/report/sharding-types.js';
import type { OptimizationReport } from '#burnish/optimizer/report/types.js';
import type { RankPlan } from '#burnish/optimizer/sharding/rank-plan.js';
import { layOutShardedState } from '#burnish/optimizer/sharding/shard-files.js';
import { type ModelSizes, QUANTIZED_FORMS, randomModel, tensor } from './random-models.js';
import { shard, writeModel } from './support.js';

const SIZES: ModelSizes = {
  ...{ headSize: 16, heads: 8, keyValueHeads: 2, hidden: 64, width: 96 },
  ...{ layers: 5, vocabulary: 200, experts: 6, tied: false },
};

const G5 = { instanceType: 'ml.g5.12xlarge', accelerator: 'NVIDIA A10G', count: 4, memoryGb: 24 };

function stepOf({ steps }: OptimizationReport): ShardingStepReport {
  const step = steps.at(-1);
  if (step?.technique !== 'sharding') throw new Error('the last step is not of sharding');
  return step;
}

describe('the result of sharding', () => {
  it('tells what every rank holds, and lists every file as it is on disk', async () => {
    const { config, tensors } = randomModel('llama', SIZES);
    const source = await writeModel(config, tensors);
    const settings = { TENSOR_PARALLEL_DEGREE: 2, PIPELINE_PARALLEL_DEGREE: 2 };
    const { folder, report } = await shard(source, settings, { deployment: G5 });
    const step = stepOf(report);
    // The stage before the last has the block that is left over.
    expect(step.ranks.map(({ layers, embedding, head }) => ({ layers, embedding, head }))).toEqual([
      { layers: [0, 3], embedding: true, head: false },
      { layers: [0, 3], embedding: true, head: false },
      { layers: [3, 5], embedding: false, head: true },
      { layers: [3, 5], embedding: false, head: true },
    ]);
    for (const rank of step.ranks) {
      expect(rank.fits).toBe(true);
      expect(rank.memoryShare).toBeCloseTo(rank.bytes / 24e9, 12);
      for (const name of rank.files) {
        const { size } = await stat(join(folder, name));
        expect(size).toBeGreaterThanOrEqual(rank.bytes);
        expect(size).toBeLessThan(rank.bytes + 64 * rank.tensors);
      }
    }
    const listed = await readdir(folder);
    expect(report.files.map(({ name }) => name)).toEqual(
      listed.filter((name) => name !== 'optimization-report.json').sort(),
    );
    for (const { name, sha256 } of report.files) {
      const bytes = await readFile(join(folder, name));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    }
    expect(JSON.parse(await readFile(join(folder, 'optimization-report.json'), 'utf8'))).toEqual(
      report,
    );
  });

  it('says why it is chunked', async () => {
    const [awq] = QUANTIZED_FORMS;
    const { config, tensors } = randomModel('llama', SIZES, awq?.form, awq?.config);
    const source = await writeModel(config, tensors);
    const { log, report } = await shard(source, { TENSOR_PARALLEL_DEGREE: 2 });
    expect(stepOf(report).layout.name).toBe('chunked');
    expect(log.join('\n')).toMatch(/layout: chunked: the model is quantized \(awq\)/);
  });

  it('lets the model’s own properties go before the environment, and says so', async () => {
    const { config, tensors } = randomModel('llama', SIZES);
    const source = await writeModel(config, tensors, {
      'serving.properties':
        'engine=Python\noption.tensor_parallel_degree=4\noption.model_id=elsewhere\n',
    });
    const { folder, report, log } = await shard(source, {
      TENSOR_PARALLEL_DEGREE: 2,
      MAX_MODEL_LEN: 512,
    });
    expect(stepOf(report).degrees.tensorParallel).toBe(4);
    expect(log.join('\n')).toMatch(/goes before OPTION_TENSOR_PARALLEL_DEGREE="2"/);
    expect(await readFile(join(folder, 'serving.properties'), 'utf8')).toBe(
      [
        'engine=Python',
        'option.tensor_parallel_degree=4',
        'option.max_model_len=512',
        'option.load_format=sharded_state',
        '',
      ].join('\n'),
    );
  });

  it('leaves out a head that is tied, and tables that engines compute', async () => {
    const { config, tensors } = randomModel('llama', { ...SIZES, tied: true });
    const source = await writeModel(config, [
      ...tensors,
      tensor('lm_head.weight', [200, 64]),
      tensor('model.layers.0.self_attn.rotary_emb.inv_freq', [8], 'F32'),
    ]);
    const { log } = await shard(source, { TENSOR_PARALLEL_DEGREE: 2 });
    const notes = log.filter((line) => line.startsWith('note: '));
    expect(notes.join('\n')).toMatch(/lm_head\.weight was left out: .*shares/);
    expect(notes.join('\n')).toMatch(/inv_freq was left out: engines compute it/);
  });

  it('divides the language model of a multimodal one, and gives the rest to the first stage', async () => {
    const { config, tensors } = randomModel('gemma3_text', { ...SIZES, tied: true });
    const source = await writeModel({ model_type: 'gemma3', text_config: config }, [
      ...tensors.map((entry) => ({ ...entry, name: `language_model.${entry.name}` })),
      tensor('vision_tower.embeddings.weight', [6, 4, 2]),
    ]);
    const { report } = await shard(source, {
      TENSOR_PARALLEL_DEGREE: 2,
      PIPELINE_PARALLEL_DEGREE: 2,
    });
    const step = stepOf(report);
    expect(step.layout.name).toBe('chunked');
    const [first, , third] = step.ranks;
    // The last stage has the embedding again, as its output layer.
    expect((first?.tensors ?? 0) - 13 * 3).toBe(2);
    expect((third?.tensors ?? 0) - 13 * 2).toBe(2);
  });

  it('is nothing when it is aborted', async () => {
    const { config, tensors } = randomModel('llama', SIZES);
    const source = await writeModel(config, tensors);
    const stop = new AbortController();
    const run = shard(
      source,
      { TENSOR_PARALLEL_DEGREE: 2 },
      { signal: stop.signal, log: () => stop.abort(new Error('enough')) },
    );
    await expect(run).rejects.toThrow('enough');
    const [result = ''] = (await readdir(join(source, '..'))).filter((name) => name !== 'source');
    expect(await readdir(join(source, '..', result))).toEqual([]);
  });
});

describe('the files of a sharded state', () => {
  it('come in parts that no tensor is split over', () => {
    const tensors = [30, 50, 20, 70, 200, 10].map((bytes, index) => ({
      ...{ name: `t${index}`, dtype: 'U8', shape: [bytes], parts: [] },
    })) satisfies RankPlan['tensors'];
    const rank: RankPlan = {
      ...{ pipelineRank: 0, tensorRank: 3, layers: [0, 1], embedding: true, head: true },
      tensors,
    };
    const { files, tensors: placed } = layOutShardedState(rank, '/result', 100);
    expect(files.map(({ name }) => name)).toEqual(
      [0, 1, 2, 3].map((part) => `model-rank-3-part-${part}.safetensors`),
    );
    const parts = files.map(({ path }) =>
      placed.filter((tensor) => tensor.path === path).map(({ tensor: { name } }) => name),
    );
    expect(parts).toEqual([['t0', 't1', 't2'], ['t3'], ['t4'], ['t5']]);
  });
});
