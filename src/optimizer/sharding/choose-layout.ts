import type { ShardingModel } from '../../checkpoint/architectures/sharding/sharding-model.js';
import { VLLM_VERSION } from '../../checkpoint/architectures/sharding/table.js';
import type { ShardLayout } from '../report/sharding-types.js';
import { SettingsError } from '../settings/errors.js';
import type { ShardingSettings } from '../settings/sharding-settings.js';

/** A layout, and why it is that one. */
export interface LayoutChoice {
  readonly name: ShardLayout;
  readonly reason: string;
}

/** Chooses the layout of the result: vLLM's `sharded_state` where it can be written, else the chunked one.
 * @throws SettingsError if the settings ask for a sharded state that cannot be. */
export function chooseLayout(model: ShardingModel, settings: ShardingSettings): LayoutChoice {
  const { layout, labels } = settings;
  if (layout === 'chunked') {
    return { name: 'chunked', reason: `${labels.layout} asks for it` };
  }
  const obstacle = shardedStateObstacle(model, settings);
  if (obstacle === undefined) {
    return {
      name: 'sharded-state',
      reason: `the model is not quantized and is in one pipeline stage, so vLLM (${VLLM_VERSION}) can load it with load_format=sharded_state`,
    };
  }
  if (layout === 'sharded_state') {
    throw new SettingsError(
      labels.layout,
      `${labels.layout} is sharded_state, but ${obstacle}; leave it out or set it to chunked`,
    );
  }
  return { name: 'chunked', reason: obstacle };
}

function shardedStateObstacle(
  { method, multimodal }: ShardingModel,
  { pipelineParallel }: ShardingSettings,
): string | undefined {
  if (method !== 'plain') {
    return `the model is quantized (${method}), and vLLM saves quantized weights in its sharded state as the kernels of one accelerator have repacked them`;
  }
  if (pipelineParallel > 1) {
    return 'the file names of a sharded state carry the tensor rank alone, and there is more than one pipeline stage';
  }
  if (multimodal) {
    return 'the model has parts beside its language model, whose parameters in vLLM’s sharded state are not known here';
  }
  return undefined;
}
