import type {
  ForwardBlock,
  ForwardModel,
  GatedNetwork,
} from '../../checkpoint/architectures/forward/forward-model.js';
import { threadCount } from '../../kernels/index.js';
import type { ExecutionProvider } from './runtime/session.js';

/** Floating-point operations a second of one processor, and of a graphics card: round figures, so that
 * a limit derived from them is the same in every run on a machine. */
const PROCESSOR_SPEED = 40e9;
const CARD_SPEED = 10e12;

/** Operations a second that can be expected of this machine, or of the part of it that was given. */
export function expectedSpeed(provider: ExecutionProvider): number {
  return provider === 'cpu' ? PROCESSOR_SPEED * threadCount() : CARD_SPEED;
}

/** Weights that one token meets in the blocks, and in the output layer: two operations each. */
export function weightsPerToken(model: ForwardModel): {
  readonly blocks: number;
  readonly head: number;
} {
  return {
    blocks: model.blocks.reduce((sum, block) => sum + blockWeights(model, block), 0),
    head: model.vocabulary * model.hiddenSize,
  };
}

function blockWeights({ hiddenSize }: ForwardModel, block: ForwardBlock): number {
  const { heads, keyValueHeads, headSize } = block.attention;
  const attention = hiddenSize * headSize * (2 * heads + 2 * keyValueHeads);
  const { feedForward } = block;
  const network = ({ inputs }: GatedNetwork): number =>
    (hiddenSize *
      inputs.flatMap(({ outputs }) => outputs).reduce((sum, { size }) => sum + size, 0) *
      3) /
    2;
  if (feedForward.kind === 'feed-forward') return attention + network(feedForward);
  const [expert] = feedForward.experts;
  return (
    attention +
    (expert === undefined ? 0 : feedForward.chosen * network(expert)) +
    (feedForward.shared === undefined ? 0 : network(feedForward.shared.network))
  );
}
