import type { CompilationStepReport, MeasuredGraph } from './compilation-types.js';
import { formatBytes, percent, renderTable } from './table.js';

/** A compilation step as a table for the log: what the graph does beside the fp32 one, and where it fits. */
export function renderCompilation(step: CompilationStepReport): readonly string[] {
  const { graph, measured, memory, totals, performance } = step;
  return [
    ...(measured === null ? [] : [...measuredTable(graph.dtype, measured), '']),
    ...fitting(memory),
    `weights ${formatBytes(totals.weightBytesBefore)} before, ${formatBytes(totals.weightBytesAfter)} after`,
    `took ${performance.seconds.toFixed(2)} s, peak memory ${formatBytes(performance.peakMemoryBytes)}`,
  ];
}

function measuredTable(
  dtype: string,
  { compiled, baseline }: NonNullable<CompilationStepReport['measured']>,
): readonly string[] {
  const columns = baseline === null ? [compiled] : [compiled, baseline];
  const row = (name: string, value: (graph: MeasuredGraph) => string): readonly string[] => [
    name,
    ...columns.map(value),
  ];
  return renderTable(
    ['', dtype, 'fp32, not optimized'].slice(0, columns.length + 1),
    [
      row('size', ({ bytes }) => formatBytes(bytes)),
      row('load', ({ loadSeconds }) => `${loadSeconds.toFixed(2)} s`),
      row('first token', ({ firstTokenSeconds }) => `${firstTokenSeconds.toFixed(3)} s`),
      row('prompt', (graph) => `${graph.promptTokensPerSecond.toFixed(1)} tokens/s`),
      row('generation', (graph) => `${graph.generationTokensPerSecond.toFixed(1)} tokens/s`),
      row('peak memory', ({ peakMemoryBytes }) => formatBytes(peakMemoryBytes)),
      row('perplexity', ({ perplexity }) => perplexity?.toFixed(3) ?? '-'),
    ].map((cells) => [...cells]),
  );
}

function fitting(memory: CompilationStepReport['memory']): readonly string[] {
  const { deployment, fits, memoryShare, positions, batch, largestBatch } = memory;
  if (deployment === null || memoryShare === null) return [];
  return [
    `${fits === true ? 'fits' : 'does not fit'} ${deployment.instanceType} (${deployment.accelerator}): ${batch} × ${positions} positions take ${percent(memoryShare)} of ${deployment.memoryGb} GB; ${largestBatch} at a time would fit`,
  ];
}
