import type {
  ExpertsStage,
  GatedNetwork,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import { createActivations } from '../activations.js';
import { HIDDEN_INPUT } from '../graphs/output-graph.js';
import {
  NORMED_OUTPUT,
  type RoutingGraphSpec,
  routingGraph,
  SHARES_OUTPUT,
} from '../graphs/routing-graph.js';
import { cutTokens, RUN_TOKENS } from '../sequences.js';
import { chooseExperts } from './choose-experts.js';
import { OutputLayer } from './output-layer.js';
import { networkTokens, prepareNetwork } from './prepare-network.js';
import { captureOf, type StageRun } from './stage-run.js';
import { StageWeights } from './stage-weights.js';

/** The mixture of experts of one block: all tokens are routed first, then one expert after the other is
 * read and answers for its tokens, so that only one expert's weights are in memory. The original model
 * does not run beside: its router may send a token to other experts. */
export async function runExperts(stage: ExpertsStage, run: StageRun): Promise<void> {
  const { activations, signal } = run;
  const normed = await createActivations(activations.tokens, activations.width, run.spill);
  try {
    const assigned = await route(stage, run, normed);
    for (const [index, network] of stage.experts.entries()) {
      const { tokens, shares } = assigned[index] ?? { tokens: [], shares: [] };
      if (tokens.length === 0) continue;
      const expert = await prepareExpert(network, undefined, run);
      for (const { first, positions } of cutTokens(tokens.length, networkTokens(network))) {
        signal.throwIfAborted();
        const some = Uint32Array.from(tokens.slice(first, first + positions));
        const result = await expert.run(await normed.gather(some));
        if (result !== undefined)
          await activations.add(some, scaleRows(result, shares.slice(first), some));
      }
      expert.tell();
    }
    if (stage.shared !== undefined) {
      const { network, gate } = stage.shared;
      const expert = await prepareExpert(network, gate, run);
      for (const { first, positions } of cutTokens(normed.tokens, networkTokens(network))) {
        signal.throwIfAborted();
        const result = await expert.run(await normed.read(first, positions));
        const tokens = Uint32Array.from({ length: positions }, (_, index) => first + index);
        if (result !== undefined) await activations.add(tokens, result);
      }
      expert.tell();
    }
    run.onTokens?.(activations.tokens);
  } finally {
    await normed.close();
  }
}

interface ReadyExpert {
  /** @param x `[tokens, width]`.
   * @returns shaped as `x`, valid until the next run; undefined where the run does not move on. */
  run(x: Float32Array): Promise<Float32Array | undefined>;
  /** Tells the run's sink what passed. */
  tell(): void;
}

async function prepareExpert(
  network: GatedNetwork,
  gate: string | undefined,
  run: StageRun,
): Promise<ReadyExpert> {
  const { model, source, sessions, advance, capture } = run;
  const spec = captureOf({ ...run, original: undefined, kept: undefined });
  const inputs = await prepareNetwork(network, model, source, spec, sessions);
  const parts = { module: network.output, gate, residual: false };
  const output = advance ? await OutputLayer.prepare(model, parts, source, sessions) : undefined;
  return {
    run: async (x) => {
      const tokens = x.length / model.hiddenSize;
      const feeds = { [HIDDEN_INPUT]: { values: x, shape: [tokens, model.hiddenSize] } };
      const { output: last } = await inputs.run(feeds, tokens);
      return last === undefined ? undefined : output?.run(x, last);
    },
    tell: () => capture && inputs.tell(capture.sink),
  };
}

interface Assignment {
  readonly tokens: number[];
  readonly shares: number[];
}

/** Fills `normed`, and tells for each expert which tokens chose it and how much it counts for them. */
async function route(
  stage: ExpertsStage,
  run: StageRun,
  normed: StageRun['activations'],
): Promise<readonly Assignment[]> {
  const { model, activations } = run;
  const { hiddenSize } = model;
  const weights = new StageWeights(run.source, model.norms.addOne);
  await weights.norm('norm', stage.norms.before);
  const spec: RoutingGraphSpec = {
    kind: 'routing',
    hiddenSize,
    epsilon: model.norms.epsilon,
    router: await weights.linear('router', stage.router),
  };
  const session = await run.sessions.session(spec, routingGraph);
  const assigned = stage.experts.map((): Assignment => ({ tokens: [], shares: [] }));
  for (let first = 0; first < activations.tokens; first += RUN_TOKENS) {
    run.signal.throwIfAborted();
    const tokens = Math.min(RUN_TOKENS, activations.tokens - first);
    const values = await activations.read(first, tokens);
    const outputs = await session.run(
      { ...weights.feeds, [HIDDEN_INPUT]: { values, shape: [tokens, hiddenSize] } },
      {},
      [NORMED_OUTPUT, SHARES_OUTPUT],
    );
    const { [NORMED_OUTPUT]: normedRows, [SHARES_OUTPUT]: shares } = outputs;
    if (normedRows === undefined || shares === undefined) throw new Error('routing gave nothing');
    await normed.write(first, normedRows);
    for (let token = 0; token < tokens; token += 1) {
      const own = shares.subarray(token * assigned.length, (token + 1) * assigned.length);
      for (const { expert, share } of chooseExperts(own, stage.chosen, stage.normalized)) {
        assigned[expert]?.tokens.push(first + token);
        assigned[expert]?.shares.push(share);
      }
    }
  }
  return assigned;
}

function scaleRows(
  values: Float32Array,
  factors: readonly number[],
  rows: Uint32Array,
): Float32Array {
  const width = values.length / rows.length;
  return values.map((value, index) => value * (factors[Math.floor(index / width)] ?? 0));
}
