import type { LayerReport, QuantizationStepReport } from './types.js';

/** A quantization step as a table for the log: a line for each kind of layer, and the totals. */
export function renderLayers({
  layers,
  totals,
  performance,
  evaluation,
}: QuantizationStepReport): readonly string[] {
  const rows = [...groupByKind(layers)].map(([kind, members]) => [
    kind,
    String(members.length),
    members[0] === undefined ? '' : schemeName(members[0].scheme),
    percent(mean(members, ({ error }) => error.relativeRms)),
    percent(most(members, ({ error }) => error.relativeRms)),
    formatBytes(total(members, ({ bytesBefore }) => bytesBefore)),
    formatBytes(total(members, ({ bytesAfter }) => bytesAfter)),
  ]);
  return [
    ...renderTable(['layers', 'count', 'scheme', 'mean error', 'most', 'before', 'after'], rows),
    '',
    `weights ${formatBytes(totals.weightBytesBefore)} -> ${formatBytes(totals.weightBytesAfter)}, ${totals.ratio.toFixed(2)} times smaller; ${percent(totals.quantizedShare)} of the parameters quantized; relative RMS error ${percent(totals.relativeRms)}`,
    ...(evaluation === null
      ? []
      : [
          `perplexity ${evaluation.before.toFixed(3)} -> ${evaluation.after.toFixed(3)}, ${evaluation.ratio.toFixed(4)} times, over ${evaluation.tokens} tokens of ${evaluation.text}`,
        ]),
    `took ${performance.seconds.toFixed(2)} s, ${formatBytes(performance.bytesPerSecond)}/s while quantizing, peak memory ${formatBytes(performance.peakMemoryBytes)}`,
  ];
}

/** Layers that differ only in the numbers of their blocks and experts, and share a scheme. */
function groupByKind(layers: readonly LayerReport[]): ReadonlyMap<string, LayerReport[]> {
  const kinds = new Map<string, Map<string, LayerReport[]>>();
  const result = new Map<string, LayerReport[]>();
  for (const layer of layers) {
    const kind = layer.module.replaceAll(/(?<=\.)\d+(?=\.)/g, '*');
    const schemes = kinds.get(kind) ?? new Map<string, LayerReport[]>();
    kinds.set(kind, schemes);
    const name = schemeName(layer.scheme);
    const members = schemes.get(name);
    if (members !== undefined) {
      members.push(layer);
      continue;
    }
    const started = [layer];
    schemes.set(name, started);
    result.set(schemes.size === 1 ? kind : `${kind} (${schemes.size})`, started);
  }
  return result;
}

function schemeName({ type, bits, groupSize, symmetric }: LayerReport['scheme']): string {
  const name = type === 'float' ? `fp${bits}` : `int${bits}`;
  const scope = groupSize === null ? 'channel' : `group ${groupSize}`;
  return `${name} ${scope}${symmetric ? '' : ' zero-point'}`;
}

/** Columns as wide as their widest cell; the first is flush left, the others right. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = head.map((title, column) =>
    Math.max(
      title.length,
      most(rows, (row) => row[column]?.length ?? 0),
    ),
  );
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) =>
        column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width),
      )
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)];
}

/** Decimal units, as disks and networks are sold: `1.07 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(2)} ${units[unit]}`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function mean<T>(items: readonly T[], value: (item: T) => number): number {
  return total(items, value) / items.length;
}

function most<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((largest, item) => Math.max(largest, value(item)), 0);
}

function total<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
