import { readForwardModel } from '#burnish/checkpoint/architectures/forward/read-forward-model.js';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import { logicalTensors } from '#burnish/optimizer/compilation/weights/logical-tensors.js';
import { BLOCK_STAGES, ForwardPass } from '#burnish/optimizer/forward/forward-pass.js';
import {
  HEAD_ROLE,
  headGraph,
  LOGITS_OUTPUT,
  TARGETS_INPUT,
} from '#burnish/optimizer/forward/graphs/head-graph.js';
import { weightInput } from '#burnish/optimizer/forward/graphs/linear.js';
import { HIDDEN_INPUT } from '#burnish/optimizer/forward/graphs/output-graph.js';
import { Sessions } from '#burnish/optimizer/forward/runtime/session.js';
import { StoredWeights } from '#burnish/optimizer/forward/weights/stored-weights.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';

/** What a model makes of one sequence. */
export interface ModelStates {
  /** After every block, `[tokens, width]`. */
  readonly blocks: readonly Float32Array[];
  /** `[tokens, vocabulary]` */
  readonly logits: Float32Array;
}

/** Runs a checkpoint over sequences of equal length, and keeps what lies between its blocks. */
export async function modelStates(
  folder: string,
  sequences: readonly (readonly number[])[],
  memoryBytes?: number,
): Promise<ModelStates> {
  const checkpoint = await openCheckpoint(folder);
  const files = new TensorFiles(checkpoint.tensors);
  const tensors = await logicalTensors(checkpoint.tensors, files);
  const model = readForwardModel(checkpoint.config, tensors);
  const source = new StoredWeights(files);
  const sessions = new Sessions();
  const { signal } = new AbortController();
  const pass = await ForwardPass.begin(
    model,
    source,
    sequences.map((ids) => Int32Array.from(ids)),
    { sessions, signal, ...(memoryBytes === undefined ? {} : { spill: { memoryBytes } }) },
  );
  try {
    const blocks: Float32Array[] = [];
    for (const block of model.blocks) {
      for (const stage of BLOCK_STAGES) await pass.run(block, stage, source);
      blocks.push(Float32Array.from(await pass.read(0, pass.tokens)));
    }
    await pass.finish(source);
    const { hiddenSize, vocabulary, head } = model;
    const session = await sessions.session(
      { kind: 'head', hiddenSize, softcap: head.softcap } as const,
      headGraph,
    );
    const weight = await source.rows(head.module, 0, vocabulary);
    const shape = [pass.tokens, hiddenSize];
    const outputs = await session.run(
      {
        [HIDDEN_INPUT]: { values: await pass.read(0, pass.tokens), shape },
        [weightInput(HEAD_ROLE)]: { values: weight.values, shape: [vocabulary, hiddenSize] },
        [TARGETS_INPUT]: { integers: new BigInt64Array(pass.tokens), shape: [pass.tokens, 1] },
      },
      {},
      [LOGITS_OUTPUT],
    );
    return { blocks, logits: outputs[LOGITS_OUTPUT] ?? new Float32Array() };
  } finally {
    await pass.close();
    await sessions.close();
    await files.close();
  }
}

/** Largest difference between two lists of numbers. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let index = 0; index < a.length; index += 1) {
    const difference = Math.abs((a[index] ?? Number.NaN) - (b[index] ?? Number.NaN));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
