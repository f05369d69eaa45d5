import { VLLM_VERSION } from '../../checkpoint/architectures/sharding/table.js';
import type { DeploymentInstance } from '../contract.js';
import { VERIFICATION_SEED } from '../quantization/verify.js';
import { describeStep, type StepCourse } from '../report/describe-step.js';
import type { RankReport, ShardingStepReport } from '../report/sharding-types.js';
import type { FileReport } from '../report/types.js';
import type { PreparedSharding } from './prepare.js';
import type { RankFiles } from './shard-files.js';

/** What a step did, to be told. */
export interface ShardingFacts extends PreparedSharding, Omit<StepCourse, 'settings'> {
  readonly deployment: DeploymentInstance | undefined;
  readonly files: readonly FileReport[];
  readonly verifiedRows: number;
}

/** The report of a sharding: what each rank got, and how much of an accelerator that takes. */
export function buildShardingReport(facts: ShardingFacts): ShardingStepReport {
  const { checkpoint, settings, model, layout, deployment } = facts;
  const { tensorParallel, pipelineParallel, expertParallel } = settings;
  const before = sum([...checkpoint.tensors.values()].map(({ length }) => length));
  const ranks = facts.ranks.map((rank) => describeRank(rank, deployment));
  return {
    technique: 'sharding',
    ...describeStep(facts),
    model: {
      type: checkpoint.config.modelType,
      architecture: model.architecture,
      quantization: model.method === 'plain' ? null : model.method,
    },
    degrees: { tensorParallel, pipelineParallel, expertParallel },
    layout: { ...layout, vllm: layout.name === 'sharded-state' ? VLLM_VERSION : null },
    ranks,
    deployment: deployment ?? null,
    totals: {
      weightBytesBefore: before,
      weightBytesAfter: sum(ranks.map(({ bytes }) => bytes)),
      folderBytesBefore: sum(checkpoint.files.map(({ size }) => size)),
      folderBytesAfter: sum(facts.files.map(({ bytes }) => bytes)),
    },
    verification: { seed: VERIFICATION_SEED, rows: facts.verifiedRows },
  };
}

function describeRank(
  { rank, files, tensors }: RankFiles,
  deployment: DeploymentInstance | undefined,
): RankReport {
  const { pipelineRank, tensorRank, layers, embedding, head } = rank;
  const bytes = sum(tensors.map(({ length }) => length));
  const memory = deployment === undefined ? undefined : deployment.memoryGb * 1e9;
  return {
    ...{ pipelineRank, tensorRank, layers, embedding, head, bytes },
    tensors: tensors.length,
    files: files.map(({ name }) => name),
    fits: memory === undefined ? null : bytes < memory,
    memoryShare: memory === undefined ? null : bytes / memory,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
