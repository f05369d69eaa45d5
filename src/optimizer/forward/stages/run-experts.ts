import type { ExpertsStage } from '../../../checkpoint/architectures/forward/forward-model.js';
import { createActivations } from '../activations.js';
import { HIDDEN_INPUT } from '../graphs/attention-graph.js';
import {
  NORMED_OUTPUT,
  type RoutingGraphSpec,
  routingGraph,
  SHARES_OUTPUT,
} from '../graphs/routing-graph.js';
import { RUN_TOKENS } from '../sequences.js';
import { chooseExperts } from './choose-experts.js';
import { prepareNetwork } from './run-feed-forward.js';
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
    const capture = captureOf({ ...run, original: undefined });
    for (const [index, network] of stage.experts.entries()) {
      const { tokens, shares } = assigned[index] ?? { tokens: [], shares: [] };
      if (tokens.length === 0) continue;
      const ready = await prepareNetwork(network, run, run.source, capture, {});
      for (let at = 0; at < tokens.length; at += ready.maxTokens) {
        signal.throwIfAborted();
        const some = Uint32Array.from(tokens.slice(at, at + ready.maxTokens));
        const { result } = await ready.run(await normed.gather(some));
        if (result !== undefined)
          await activations.add(some, scaleRows(result, shares.slice(at), some));
      }
    }
    if (stage.shared !== undefined) {
      const { network, gate } = stage.shared;
      const ready = await prepareNetwork(network, run, run.source, capture, { gate });
      for (let first = 0; first < normed.tokens; first += ready.maxTokens) {
        signal.throwIfAborted();
        const count = Math.min(ready.maxTokens, normed.tokens - first);
        const { result } = await ready.run(await normed.read(first, count));
        const tokens = Uint32Array.from({ length: count }, (_, index) => first + index);
        if (result !== undefined) await activations.add(tokens, result);
      }
    }
    run.onTokens?.(activations.tokens);
  } finally {
    await normed.close();
  }
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
