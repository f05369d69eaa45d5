import type {
  ModuleTensor,
  ShardingModel,
} from '../../checkpoint/architectures/sharding/sharding-model.js';
import { tensorBytes } from '../../checkpoint/safetensors/dtypes.js';
import { type DividedAxis, dividedAxis, type Slice, sliceOf } from './slice.js';
import { expertsOf, pipelineStages, type Stage } from './stages.js';

/** Number of ranks in each direction, and how experts are handed out. */
export interface Degrees {
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  readonly expertParallel: boolean;
}

/** A tensor of the checkpoint and the dimension along which it is divided. */
export interface DividedTensor {
  readonly module: ModuleTensor;
  /** Undefined where a rank has all of it, or none. */
  readonly divided: DividedAxis | undefined;
}

/** What one rank has of the checkpoint's tensors. */
export interface RankShare {
  readonly pipelineRank: number;
  readonly tensorRank: number;
  readonly layers: Stage;
  /** Experts of each block that it has. */
  readonly experts: Stage;
  readonly slices: readonly { readonly module: ModuleTensor; readonly slice: Slice }[];
}

/** Finds how each tensor is divided, whatever the degrees.
 * @throws CheckpointError for tensors whose shape is not what the configuration makes it. */
export function divideTensors(
  model: ShardingModel,
  expertParallel: boolean,
): readonly DividedTensor[] {
  return model.tensors.map((module) => ({
    module,
    divided: expertParallel && module.expert !== undefined ? undefined : dividedAxis(model, module),
  }));
}

/** What every rank has, the ranks of a pipeline stage side by side. The degrees must be ones that divide
 * the model. */
export function shareAmongRanks(
  model: ShardingModel,
  tensors: readonly DividedTensor[],
  degrees: Degrees,
): readonly RankShare[] {
  const { tensorParallel, pipelineParallel } = degrees;
  return pipelineStages(model.blocks, pipelineParallel).flatMap((layers, pipelineRank) =>
    Array.from({ length: tensorParallel }, (_, tensorRank) =>
      shareOf(model, tensors, degrees, { pipelineRank, tensorRank, layers }),
    ),
  );
}

function shareOf(
  model: ShardingModel,
  tensors: readonly DividedTensor[],
  { tensorParallel, pipelineParallel, expertParallel }: Degrees,
  rank: Pick<RankShare, 'pipelineRank' | 'tensorRank' | 'layers'>,
): RankShare {
  const isLast = rank.pipelineRank === pipelineParallel - 1;
  const experts: Stage = expertParallel
    ? expertsOf(model.experts, tensorParallel, rank.tensorRank)
    : [0, model.experts];
  const slices = tensors
    .filter(
      ({ module }) =>
        isInStage(model, module, rank, isLast) &&
        (module.expert === undefined || isIn(experts, module.expert)),
    )
    .map(({ module, divided }) => ({
      module,
      slice: sliceOf(module.tensor.shape, divided, tensorParallel, rank.tensorRank),
    }));
  return { ...rank, experts, slices };
}

/** Bytes of the weights of the rank that has most, which is the first of its pipeline stage. */
export function largestRankBytes(
  model: ShardingModel,
  tensors: readonly DividedTensor[],
  degrees: Degrees,
): number {
  const stages = pipelineStages(model.blocks, degrees.pipelineParallel);
  return stages.reduce((largest, layers, pipelineRank) => {
    const { slices } = shareOf(model, tensors, degrees, { pipelineRank, tensorRank: 0, layers });
    const bytes = slices.reduce(
      (sum, { module: { tensor }, slice }) => sum + (tensorBytes(tensor.dtype, slice.shape) ?? 0),
      0,
    );
    return Math.max(largest, bytes);
  }, 0);
}

/** The last stage needs the embedding too where the output layer shares its weight. */
function isInStage(
  { tied }: ShardingModel,
  { place, member }: ModuleTensor,
  { pipelineRank, layers }: Pick<RankShare, 'pipelineRank' | 'layers'>,
  isLast: boolean,
): boolean {
  if (place === 'first') {
    return pipelineRank === 0 || (isLast && tied && member === 'embed_tokens');
  }
  return place === 'last' ? isLast : isIn(layers, place.block);
}

function isIn([first, end]: Stage, index: number): boolean {
  return first <= index && index < end;
}
