import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import {
  type ModelSizes,
  type ModelType,
  QUANTIZED_FORMS,
  randomModel,
  tensor,
} from './random-models.js';
import { shard, writeModel } from './support.js';

const SIZES: ModelSizes = {
  ...{ headSize: 16, heads: 8, keyValueHeads: 2, hidden: 64, width: 96 },
  ...{ layers: 2, vocabulary: 200, experts: 6, tied: false },
};

const G5 = { instanceType: 'ml.g5.12xlarge', accelerator: 'NVIDIA A10G', count: 4, memoryGb: 24 };

interface Attempt {
  readonly type?: ModelType;
  readonly sizes?: Partial<ModelSizes>;
  readonly form?: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly change?: Partial<StepRun>;
  readonly files?: Readonly<Record<string, string>>;
}

/** The message of a refusal; the folder of the result must be left empty. */
async function refusal({ type, sizes, form, settings, change, files }: Attempt): Promise<string> {
  const quantized = QUANTIZED_FORMS.find(({ name }) => name === form);
  const model = randomModel(
    type ?? 'llama',
    { ...SIZES, ...sizes },
    quantized?.form,
    quantized?.config,
  );
  const source = await writeModel(model.config, model.tensors, files);
  const message = await shard(source, settings, change).then(
    () => 'done',
    (error: Error) => error.message,
  );
  const results = (await readdir(dirname(source))).filter((name) => name.startsWith('result-'));
  for (const name of results) expect(await readdir(`${dirname(source)}/${name}`)).toEqual([]);
  return message;
}

describe('degrees are refused before any weight is read', () => {
  it.each<readonly [string, Attempt, RegExp]>([
    [
      'that do not divide heads and the padded vocabulary',
      { settings: { TENSOR_PARALLEL_DEGREE: 3 } },
      /DEGREE is 3, but 3 does not divide the model’s .*8 attention heads.*; the nearest degrees that work are 2 and 4$/,
    ],
    [
      'that do not divide key/value heads, nor are divided by them',
      {
        sizes: { heads: 12, keyValueHeads: 4, vocabulary: 384 },
        settings: { TENSOR_PARALLEL_DEGREE: 6 },
      },
      /6 does not divide the model’s 4 key\/value heads; the nearest degrees that work are 4 and 12$/,
    ],
    [
      'that do not divide the width',
      { sizes: { width: 90 }, settings: { TENSOR_PARALLEL_DEGREE: 4 } },
      /4 does not divide the model’s 90 channels \(intermediate_size\); the nearest degree that works is 2$/,
    ],
    [
      'that cut through groups',
      { form: 'awq', settings: { TENSOR_PARALLEL_DEGREE: 4 } },
      /each rank would get 24 channels of model\.layers\.0\.mlp\.\w+\.\w+, which are stored in groups of 16 that cannot be split; the nearest degree that works is 2$/,
    ],
    [
      'that cut through packed words',
      { sizes: { headSize: 4 }, form: 'gptq', settings: { TENSOR_PARALLEL_DEGREE: 8 } },
      /each rank would get 4 channels of model\.layers\.0\.self_attn.*groups of 8 that cannot be split/,
    ],
    [
      'of more stages than blocks',
      { settings: { TENSOR_PARALLEL_DEGREE: 2, PIPELINE_PARALLEL_DEGREE: 3 } },
      /PIPELINE_PARALLEL_DEGREE is 3, but the model has 2 blocks.*the largest degree that works is 2$/,
    ],
    [
      'of more ranks than experts to hand out',
      {
        type: 'mixtral',
        sizes: { experts: 3 },
        settings: { TENSOR_PARALLEL_DEGREE: 4, ENABLE_EXPERT_PARALLEL: 'true' },
      },
      /there are only 3 experts to hand out; the nearest degree that works is 2$/,
    ],
    [
      'of more ranks than accelerators',
      { settings: { TENSOR_PARALLEL_DEGREE: 8 }, change: { deployment: G5 } },
      /that takes 8 accelerators and ml\.g5\.12xlarge has 4 \(NVIDIA A10G\); the nearest degree that works is 4$/,
    ],
    [
      'whose ranks do not fit an accelerator',
      {
        settings: { TENSOR_PARALLEL_DEGREE: 1 },
        change: { deployment: { ...G5, memoryGb: 0.00015 } },
      },
      /a rank’s weights take 2\d\d\.\d+ kB and one NVIDIA A10G of ml\.g5\.12xlarge has 0\.00015 GB; the nearest degree that works is 2$/,
    ],
    [
      'when no degree works',
      {
        settings: { TENSOR_PARALLEL_DEGREE: 1 },
        change: { deployment: { ...G5, memoryGb: 0.00001 } },
      },
      /no tensor-parallel degree works$/,
    ],
  ])('%s', async (_, attempt, expected) => {
    expect(await refusal(attempt)).toMatch(expected);
  });
});

describe('refused are also', () => {
  it.each<readonly [string, Attempt, RegExp]>([
    [
      'whole experts of a model that has none',
      { settings: { TENSOR_PARALLEL_DEGREE: 2, ENABLE_EXPERT_PARALLEL: 'true' } },
      /has no experts/,
    ],
    [
      'a sharded state of a quantized model',
      { form: 'awq', settings: { TENSOR_PARALLEL_DEGREE: 2, SHARD_LAYOUT: 'sharded_state' } },
      /is sharded_state, but the model is quantized \(awq\)/,
    ],
    [
      'a sharded state of several stages',
      {
        settings: {
          TENSOR_PARALLEL_DEGREE: 2,
          PIPELINE_PARALLEL_DEGREE: 2,
          SHARD_LAYOUT: 'sharded_state',
        },
      },
      /carry the tensor rank alone/,
    ],
    [
      'settings of quantization, for a model that is not quantized',
      { settings: { TENSOR_PARALLEL_DEGREE: 2, QUANTIZE: 'awq' } },
      /quantize in a step before this one/,
    ],
    [
      'a degree that the model’s own properties give wrongly',
      {
        settings: { TENSOR_PARALLEL_DEGREE: 2 },
        files: { 'serving.properties': 'option.tensor_parallel_degree=max\n' },
      },
      /option\.tensor_parallel_degree in serving\.properties is "max"/,
    ],
  ])('%s', async (_, attempt, expected) => {
    expect(await refusal(attempt)).toMatch(expected);
  });

  const { config, tensors } = randomModel('llama', SIZES);
  const without = (name: string) => tensors.filter((entry) => entry.name !== name);

  it.each([
    [
      'a layer that is not there',
      config,
      without('model.layers.1.mlp.down_proj.weight'),
      /there is no tensor of model\.layers\.1\.mlp\.down_proj/,
    ],
    [
      'a tensor that the model does not have',
      config,
      [...tensors, tensor('model.layers.0.mlp.extra.weight', [4, 4])],
      /model\.layers\.0\.mlp\.extra\.weight": is not part of a model of this kind/,
    ],
    [
      'a block beyond the last',
      config,
      [...tensors, tensor('model.layers.7.input_layernorm.weight', [64])],
      /layers\.7.*is not part of a model of this kind/,
    ],
    [
      'a shape that the configuration contradicts',
      { ...config, num_attention_heads: 4 },
      tensors,
      /q_proj\.weight": has the shape \[128, 64\], but config\.json makes its layer’s outputs 64/,
    ],
    [
      'an output layer that nothing tells of',
      config,
      without('lm_head.weight'),
      /set tie_word_embeddings to true if it does/,
    ],
    [
      'tensors of two types that engines fuse',
      config,
      [
        ...without('model.layers.0.self_attn.k_proj.weight'),
        tensor('model.layers.0.self_attn.k_proj.weight', [32, 64], 'F32'),
      ],
      /holds F32, but .*q_proj\.weight, with which engines fuse it, BF16/,
    ],
    [
      'a model that the tables do not know',
      { ...config, model_type: 'mamba' },
      tensors,
      /how to divide models of the type mamba is not known; known are llama, /,
    ],
    [
      'quantization by a method that is not known',
      { ...config, quantization_config: { quant_method: 'bitsandbytes' } },
      tensors,
      /is quantized by "bitsandbytes"; sharding knows awq, gptq, compressed-tensors/,
    ],
  ] as const)('%s', async (_, givenConfig, givenTensors, expected) => {
    const source = await writeModel(givenConfig, givenTensors);
    await expect(shard(source, { TENSOR_PARALLEL_DEGREE: 2 })).rejects.toThrow(expected);
  });
});
