import { readShardingModel } from '../../checkpoint/architectures/sharding/read-sharding-model.js';
import type { ShardingModel } from '../../checkpoint/architectures/sharding/sharding-model.js';
import type { FolderFile } from '../../checkpoint/folder.js';
import { type Checkpoint, openCheckpoint } from '../../checkpoint/open.js';
import { INDEX_FILE } from '../../checkpoint/shard-index.js';
import { checkOutputFolder, checkSpace } from '../output/folder.js';
import { previousSteps } from '../report/previous.js';
import { REPORT_FILE } from '../report/types.js';
import { bytesKept } from '../resuming/finished-work.js';
import { SettingsError } from '../settings/errors.js';
import { PROPERTIES_FILE, type Properties } from '../settings/properties.js';
import { parseShardingSettings, type ShardingSettings } from '../settings/sharding-settings.js';
import { readSourceProperties } from '../settings/source-properties.js';
import type { PreparedStep, StepRun } from '../step-frame.js';
import { checkDegrees } from './check-degrees.js';
import { chooseLayout, type LayoutChoice } from './choose-layout.js';
import {
  type DividedTensor,
  divideTensors,
  largestRankBytes,
  shareAmongRanks,
} from './divide-model.js';
import { chunkedTensors, layOutChunked } from './layouts/chunked.js';
import { shardedStateTensors } from './layouts/sharded-state.js';
import { shardedProperties } from './serving-properties.js';
import { layOutShardedState, type RankFiles } from './shard-files.js';
import { type Demand, demandsOf } from './slice.js';

/** All that is decided before the first byte is written. */
export interface PreparedSharding extends PreparedStep {
  readonly checkpoint: Checkpoint;
  readonly settings: ShardingSettings;
  readonly model: ShardingModel;
  readonly layout: LayoutChoice;
  /** As they are in the output. */
  readonly ranks: readonly RankFiles[];
  readonly properties: Properties;
  /** Files that are carried along as they are. */
  readonly others: readonly FolderFile[];
  readonly notes: readonly string[];
}

/** Reads headers, configuration and settings, and decides where every byte goes.
 * @throws SettingsError, CheckpointError, OutputError. */
export async function prepareSharding(run: StepRun): Promise<PreparedSharding> {
  const { inputFolder, outputFolder, resumeFolder, environment, deployment, signal } = run;
  const checkpoint = await openCheckpoint(inputFolder, signal);
  const model = readShardingModel(checkpoint.config, checkpoint.tensors);
  const source = await readSourceProperties(checkpoint.files);
  const settings = parseShardingSettings(environment, source, model.method !== 'plain');
  checkExperts(model, settings);
  const tensors = divideTensors(model, settings.expertParallel);
  checkDegrees(
    {
      demands: distinctDemands(tensors),
      blocks: model.blocks,
      wholeExperts: settings.expertParallel ? model.experts : undefined,
      deployment,
      largestRank: (tensorParallel, pipelineParallel) =>
        largestRankBytes(model, tensors, { ...settings, tensorParallel, pipelineParallel }),
    },
    settings,
  );
  const layout = chooseLayout(model, settings);
  const output = await checkOutputFolder(outputFolder, checkpoint.folder);
  const ranks = layOutRanks(model, tensors, settings, layout, output);
  const serving = shardedProperties(source, settings, layout.name);
  const earlier = await previousSteps(checkpoint.files);
  const others = otherFiles(checkpoint);
  const files = ranks.flatMap((rank) => rank.files);
  const needed = [...files, ...others].reduce((sum, { size }) => sum + size, 0);
  const names = files.map(({ name }) => name);
  await checkSpace(output, needed - (await bytesKept(resumeFolder, names)));
  return {
    ...{ checkpoint, settings, model, output, layout, ranks, others },
    properties: serving.properties,
    earlierSteps: earlier.steps,
    notes: [
      ...checkpoint.notes,
      ...settings.notes,
      ...model.leftOut.map(({ tensor, reason }) => `${tensor.name} was left out: ${reason}.`),
      ...serving.notes,
      ...earlier.notes,
    ],
  };
}

function checkExperts({ experts }: ShardingModel, settings: ShardingSettings): void {
  const { expertParallel, labels } = settings;
  if (expertParallel && experts === 0) {
    throw new SettingsError(
      labels.expertParallel,
      `${labels.expertParallel} is true, but the model has no experts; leave it out`,
    );
  }
}

/** What the tensors demand of the degree, each kind of demand once. */
function distinctDemands(tensors: readonly DividedTensor[]): readonly Demand[] {
  const found = new Map<string, Demand>();
  for (const { module, divided } of tensors) {
    if (divided === undefined) continue;
    for (const demand of demandsOf(divided, module.tensor.name)) {
      const { what, units, unitSize } = demand.segment;
      const key = `${what} ${units} ${unitSize} ${demand.multiple}`;
      if (!found.has(key)) found.set(key, demand);
    }
  }
  return [...found.values()];
}

function layOutRanks(
  model: ShardingModel,
  tensors: readonly DividedTensor[],
  settings: ShardingSettings,
  layout: LayoutChoice,
  output: string,
): readonly RankFiles[] {
  return shareAmongRanks(model, tensors, settings).map((share) => {
    const isLast = share.pipelineRank === settings.pipelineParallel - 1;
    const rank = {
      ...{ pipelineRank: share.pipelineRank, tensorRank: share.tensorRank, layers: share.layers },
      ...{ embedding: share.pipelineRank === 0, head: isLast },
    };
    return layout.name === 'sharded-state'
      ? layOutShardedState({ ...rank, tensors: shardedStateTensors(model, share) }, output)
      : layOutChunked({ ...rank, tensors: chunkedTensors(share) }, output);
  });
}

/** All but the weights and what is written anew. */
function otherFiles({ files, shards }: Checkpoint): readonly FolderFile[] {
  const replaced = new Set([
    INDEX_FILE,
    PROPERTIES_FILE,
    REPORT_FILE,
    ...shards.map(({ file }) => file),
  ]);
  return files.filter(({ name }) => !replaced.has(name));
}
