import type {
  AttentionStage,
  ForwardBlock,
  GatedNetwork,
  InputProjection,
} from '../../checkpoint/architectures/forward/forward-model.js';
import type { BlockStage } from '../forward/forward-pass.js';
import type { CapturePlace } from '../forward/graphs/capture.js';

/** Linear layers that see one input, and what makes that input. */
export interface StageFamily {
  readonly modules: readonly string[];
  /** Where their input passes. */
  readonly place: CapturePlace;
  readonly preceding: PrecedingModule | undefined;
}

export type PrecedingModule =
  | { readonly kind: 'norm'; readonly module: string }
  | {
      readonly kind: 'linear';
      readonly module: string;
      /** The row of its weight that each input channel comes from. */
      readonly rowOf: Uint32Array;
    };

/** The families of one stage of a block, in the order in which they are used. Scales are not moved into
 * the norm before a mixture of experts: all experts and the router share it. */
export function stageFamilies(block: ForwardBlock, stage: BlockStage): readonly StageFamily[] {
  if (stage === 'attention') return attentionFamilies(block.attention);
  const { feedForward } = block;
  if (feedForward.kind === 'feed-forward') {
    return networkFamilies(feedForward, { kind: 'norm', module: feedForward.norms.before });
  }
  const networks = [
    ...feedForward.experts,
    ...(feedForward.shared === undefined ? [] : [feedForward.shared.network]),
  ];
  return networks.flatMap((network) => networkFamilies(network, undefined));
}

function attentionFamilies(stage: AttentionStage): readonly StageFamily[] {
  const { inputs, output, norms, heads, keyValueHeads, headSize } = stage;
  const value = findOutput(inputs, 'value');
  const group = heads / keyValueHeads;
  return [
    {
      modules: inputs.map(({ module }) => module),
      place: 'input',
      preceding: { kind: 'norm', module: norms.before },
    },
    {
      modules: [output],
      place: 'output',
      preceding: {
        kind: 'linear',
        module: value.module,
        // Several query heads share one head of values.
        rowOf: Uint32Array.from({ length: heads * headSize }, (_, channel) => {
          const head = Math.floor(channel / headSize);
          return value.first + Math.floor(head / group) * headSize + (channel % headSize);
        }),
      },
    },
  ];
}

function networkFamilies(
  { inputs, output }: GatedNetwork,
  norm: PrecedingModule | undefined,
): readonly StageFamily[] {
  const up = findOutput(inputs, 'up');
  return [
    { modules: inputs.map(({ module }) => module), place: 'input', preceding: norm },
    {
      modules: [output],
      place: 'output',
      preceding: {
        kind: 'linear',
        module: up.module,
        rowOf: Uint32Array.from({ length: up.size }, (_, channel) => up.first + channel),
      },
    },
  ];
}

/** The module that makes an output, and which of its rows do. */
function findOutput<Output extends string>(
  inputs: readonly InputProjection<Output>[],
  wanted: Output,
): { readonly module: string; readonly first: number; readonly size: number } {
  for (const { module, outputs } of inputs) {
    let first = 0;
    for (const { name, size } of outputs) {
      if (name === wanted) return { module, first, size };
      first += size;
    }
  }
  throw new Error(`no projection makes ${wanted}`);
}
