import type { RankReport, ShardingStepReport } from './sharding-types.js';
import { formatBytes, percent, renderTable } from './table.js';

/** A sharding step as a table for the log: a line for each rank, and the totals. */
export function renderShards(step: ShardingStepReport): readonly string[] {
  const { ranks, deployment, totals, performance } = step;
  const head = ['pipeline rank', 'tensor rank', 'layers', 'tensors', 'weights'];
  const rows = ranks.map((rank) => [
    ...[rank.pipelineRank, rank.tensorRank].map(String),
    layersOf(rank),
    String(rank.tensors),
    formatBytes(rank.bytes),
    ...(rank.memoryShare === null ? [] : [percent(rank.memoryShare)]),
  ]);
  return [
    ...renderTable(
      deployment === null
        ? head
        : [...head, `of ${deployment.memoryGb} GB (${deployment.accelerator})`],
      rows,
    ),
    '',
    `weights ${formatBytes(totals.weightBytesBefore)} in ${ranks.length} ranks of ${formatBytes(totals.weightBytesAfter)} together`,
    `took ${performance.seconds.toFixed(2)} s, ${formatBytes(performance.bytesPerSecond)}/s while sharding, peak memory ${formatBytes(performance.peakMemoryBytes)}`,
  ];
}

function layersOf({ layers: [first, end], embedding, head }: RankReport): string {
  const range = end - first === 1 ? String(first) : `${first}-${end - 1}`;
  return [...(embedding ? ['embedding'] : []), range, ...(head ? ['head'] : [])].join(', ');
}
