import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import {
  HIDDEN_INPUT,
  HIDDEN_OUTPUT,
  LAST_INPUT,
  type OutputGraphSpec,
  outputGraph,
} from '../graphs/output-graph.js';
import type { Feed, Session, Sessions } from '../runtime/session.js';
import type { WeightSource } from '../weights/weight-source.js';
import { StageWeights } from './stage-weights.js';

/** What ends a stage. */
export interface OutputParts {
  /** The last linear layer. */
  readonly module: string;
  /** The norm of its result, in models that have one. */
  readonly normAfter?: string | undefined;
  /** A linear layer whose sigmoid the result is multiplied by. */
  readonly gate?: string | undefined;
  /** Whether the result is added to what the stage was given. */
  readonly residual: boolean;
}

/** The last linear layer of a stage and what follows it, the weights at hand. */
export class OutputLayer {
  readonly #session: Session;
  readonly #feeds: Readonly<Record<string, Feed>>;
  readonly #hiddenSize: number;
  readonly #columns: number;
  #result = new Float32Array();

  private constructor(
    session: Session,
    feeds: Readonly<Record<string, Feed>>,
    { hiddenSize, output }: OutputGraphSpec,
  ) {
    this.#session = session;
    this.#feeds = feeds;
    this.#hiddenSize = hiddenSize;
    this.#columns = output.columns;
  }

  static async prepare(
    { hiddenSize, norms }: ForwardModel,
    { module, normAfter, gate, residual }: OutputParts,
    source: WeightSource,
    sessions: Sessions,
  ): Promise<OutputLayer> {
    const weights = new StageWeights(source, norms.addOne);
    if (normAfter !== undefined) await weights.norm('norm_after', normAfter);
    const spec: OutputGraphSpec = {
      kind: 'output',
      hiddenSize,
      epsilon: norms.epsilon,
      output: await weights.linear('output', module),
      normAfter: normAfter !== undefined,
      gate: gate === undefined ? undefined : await weights.linear('gate', gate),
      residual,
    };
    return new OutputLayer(await sessions.session(spec, outputGraph), weights.feeds, spec);
  }

  /** @param hidden `[tokens, hiddenSize]` from before the stage.
   * @param last the last layer's inputs, `[tokens, columns]`.
   * @returns what the stage makes of them, shaped as `hidden` and valid until the next run. */
  async run(hidden: Float32Array, last: Float32Array): Promise<Float32Array> {
    const tokens = hidden.length / this.#hiddenSize;
    const shape = [tokens, this.#hiddenSize];
    if (this.#result.length < hidden.length) this.#result = new Float32Array(hidden.length);
    const values = this.#result.subarray(0, hidden.length);
    await this.#session.run(
      {
        ...this.#feeds,
        [HIDDEN_INPUT]: { values: hidden, shape },
        [LAST_INPUT]: { values: last, shape: [tokens, this.#columns] },
      },
      { [HIDDEN_OUTPUT]: { values, shape } },
    );
    return values;
  }
}
