import type { ConfigReader } from '../forward/config-reader.js';
import type { ForwardArchitecture, GatedLayout } from '../forward/forward-architecture.js';
import type { ModuleDivision, Segment } from './module-division.js';
import type { ShardingArchitecture } from './table.js';

const WHOLE: ModuleDivision = { kind: 'whole' };

/** How the modules of a block are divided, by their names counted from the block. */
export interface BlockModules {
  readonly divisions: ReadonlyMap<string, ModuleDivision>;
  /** Modules that every block has. */
  readonly everywhere: readonly string[];
  /** Modules of a plain feed-forward network, and of experts; a block has one or the other. */
  readonly plain: readonly string[];
  readonly mixture: readonly string[];
  /** The module that chooses experts, with an output for each. */
  readonly router: string | undefined;
}

/** Describes the modules of one kind of model from its configuration alone, so that it fits quantized
 * checkpoints too.
 * @throws CheckpointError naming a key of the configuration that is missing or makes no sense. */
export function describeModules(
  forward: ForwardArchitecture,
  sharding: ShardingArchitecture,
  reader: ConfigReader,
): BlockModules {
  const hidden = reader.count('hidden_size');
  const divisions = new Map<string, ModuleDivision>();
  describeAttention(forward, reader, hidden, divisions);
  const { norms } = forward;
  const normModules = [
    norms.beforeAttention,
    norms.afterAttention,
    norms.beforeFeedForward,
    norms.afterFeedForward,
  ].filter((name) => name !== undefined);
  for (const module of normModules) divisions.set(module, WHOLE);
  const everywhere = [...divisions.keys()];

  const plain = describeNetwork(
    forward.feedForward,
    '',
    networkWidth(reader, sharding.widths.feedForward),
    hidden,
    divisions,
  );
  const { experts } = forward;
  if (experts === undefined)
    return { divisions, everywhere, plain, mixture: [], router: undefined };
  const width = networkWidth(reader, sharding.widths.experts ?? sharding.widths.feedForward);
  const mixture = [
    experts.router,
    ...describeNetwork(experts, `${experts.expert}.`, width, hidden, divisions),
  ];
  divisions.set(experts.router, WHOLE);
  if (experts.shared !== undefined) {
    const { prefix, gate } = experts.shared;
    const sharedWidth = networkWidth(reader, sharding.widths.shared ?? '');
    mixture.push(gate, ...describeNetwork(experts, `${prefix}.`, sharedWidth, hidden, divisions));
    divisions.set(gate, WHOLE);
  }
  return { divisions, everywhere, plain, mixture, router: experts.router };
}

function describeAttention(
  { attention }: ForwardArchitecture,
  reader: ConfigReader,
  hidden: number,
  divisions: Map<string, ModuleDivision>,
): void {
  const heads = reader.count('num_attention_heads');
  const headSize = reader.optionalCount('head_dim') ?? Math.floor(hidden / heads);
  const queries: Segment = {
    what: 'attention heads',
    units: heads,
    unitSize: headSize,
    shared: false,
  };
  const keys: Segment = {
    what: 'key/value heads',
    units: reader.optionalCount('num_key_value_heads') ?? heads,
    unitSize: headSize,
    shared: true,
  };
  const segments = { query: queries, key: keys, value: keys };
  for (const { module, outputs } of attention.inputs) {
    const parts = outputs.map((name) => segments[name]);
    divisions.set(module, { kind: 'outputs', segments: parts, inputs: hidden });
  }
  divisions.set(attention.output, { kind: 'inputs', segment: queries, outputs: hidden });
  if (attention.headNorms !== undefined) {
    divisions.set(attention.headNorms.query, WHOLE);
    divisions.set(attention.headNorms.key, WHOLE);
  }
}

function describeNetwork(
  { inputs, output }: GatedLayout,
  prefix: string,
  width: Segment,
  hidden: number,
  divisions: Map<string, ModuleDivision>,
): readonly string[] {
  for (const { module, outputs } of inputs) {
    const segments = outputs.map(() => width);
    divisions.set(prefix + module, { kind: 'outputs', segments, inputs: hidden });
  }
  divisions.set(prefix + output, { kind: 'inputs', segment: width, outputs: hidden });
  return [...inputs.map(({ module }) => prefix + module), prefix + output];
}

function networkWidth(reader: ConfigReader, key: string): Segment {
  return { what: `channels (${key})`, units: reader.count(key), unitSize: 1, shared: false };
}
