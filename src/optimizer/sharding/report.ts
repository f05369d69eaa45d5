import { VLLM_VERSION } from '../../checkpoint/architectures/sharding/table.js';
import type { DeploymentInstance } from '../contract.js';
import { VERIFICATION_SEED } from '../quantization/verify.js';
import type { RankReport, ShardingStepReport } from '../report/sharding-types.js';
import type { FileReport } from '../report/types.js';
import { describeVersions } from '../report/versions.js';
import type { PreparedSharding } from './prepare.js';
import type { RankFiles } from './shard-files.js';

/** What a step did, to be told. */
export interface ShardingFacts extends PreparedSharding {
  readonly startedAt: Date;
  readonly deployment: DeploymentInstance | undefined;
  readonly files: readonly FileReport[];
  readonly verifiedRows: number;
  readonly secondsByPhase: Readonly<Record<string, number>>;
  /** Of the sharding phase. */
  readonly bytesPerSecond: number;
}

export function buildShardingReport(facts: ShardingFacts): ShardingStepReport {
  const { checkpoint, settings, model, layout, deployment, secondsByPhase } = facts;
  const { tensorParallel, pipelineParallel, expertParallel } = settings;
  const before = sum([...checkpoint.tensors.values()].map(({ length }) => length));
  const ranks = facts.ranks.map((rank) => describeRank(rank, deployment));
  const endedAt = new Date();
  return {
    technique: 'sharding',
    startedAt: facts.startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    settings: settings.effective,
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
    notes: facts.notes,
    verification: { seed: VERIFICATION_SEED, rows: facts.verifiedRows },
    performance: {
      seconds: (endedAt.getTime() - facts.startedAt.getTime()) / 1000,
      secondsByPhase,
      bytesPerSecond: facts.bytesPerSecond,
      // Node gives it in kilobytes.
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    },
    versions: describeVersions(),
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
