import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareCompilation } from '#burnish/optimizer/compilation/prepare.js';
import { Progress } from '#burnish/optimizer/progress.js';
import { type SyntheticModel, writeModel } from '../../checkpoint/synthetic.js';
import { largestDifference, modelStates } from '../../support/model-states.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { compile, compiledLogits } from './compiling.js';
import { decodeModules } from './decode-codes.js';
import { TINY_CASES, tinyIds, tinyModel } from './tiny-models.js';

const TABLE = 'model.embed_tokens';
const HEAD = 'lm_head';

function caseOf(name: string): SyntheticModel {
  const tiny = TINY_CASES.find((candidate) => candidate.name === name);
  if (tiny === undefined) throw new Error(`there is no case ${name}`);
  return tinyModel(tiny);
}

/** What a step decides for a checkpoint, without a byte written. */
async function planned(source: string, environment: Readonly<Record<string, string>>) {
  const outputFolder = temporaryFolder('vocabulary');
  return prepareCompilation({
    ...{ inputFolder: source, outputFolder, datasets: {}, scratchFolder: undefined },
    environment: { OPTION_COMPILE_MEASURE: 'false', ...environment },
    progress: Progress.toFile(undefined),
    log: () => undefined,
    signal: new AbortController().signal,
  });
}

/** The model with every weight that is codes in a compiled graph as what the codes stand for; its output
 * layer is a weight of its own. */
function decodedModel(
  { config, tensors }: SyntheticModel,
  decoded: ReadonlyMap<string, ReadonlyMap<string, Float32Array>>,
): SyntheticModel {
  const valuesOf = (name: string, module: string): Float32Array | undefined =>
    decoded.get(name)?.get(module);
  const modules = new Map([...decoded.values()].flatMap((own) => [...own]));
  const tied = (config as Record<string, unknown>).tie_word_embeddings === true;
  const head = tied ? TABLE : HEAD;
  const named = (name: string, from: string, values: Float32Array | undefined) => {
    const stored = tensors.find((tensor) => tensor.name === `${from}.weight`);
    if (stored === undefined) throw new Error(`there is no ${from}`);
    const data = values === undefined ? stored.data : new Uint8Array(values.buffer);
    return { ...stored, name: `${name}.weight`, data };
  };
  const shared = tied ? valuesOf(TABLE, TABLE) : undefined;
  return {
    config: { ...config, tie_word_embeddings: false },
    tensors: [
      named(TABLE, TABLE, valuesOf(`${TABLE}.table`, TABLE) ?? shared),
      named(HEAD, head, valuesOf(head, head)),
      ...tensors.flatMap((tensor) => {
        const module = tensor.name.replace(/\.weight$/, '');
        if (module === TABLE || module === HEAD) return [];
        const values = modules.get(module);
        return values === undefined ? [tensor] : [named(module, module, values)];
      }),
    ],
  };
}

const TIED = 'llama, tied and biased, with heads of 24';

describe('embeddings as codes', () => {
  it.each([
    ['llama', {}, 'int8', 'int8'],
    ['llama', { OPTION_COMPILE_EMBEDDING_DTYPE: 'int4' }, 'int4', 'int8'],
    ['llama', { OPTION_COMPILE_EMBEDDING_DTYPE: 'float' }, 'fp32', 'int8'],
    ['llama', { OPTION_COMPILE_HEAD_DTYPE: 'float' }, 'int8', 'fp32'],
    [TIED, {}, 'int8', 'int8'],
    [TIED, { OPTION_DTYPE: 'int8' }, 'int8', 'int8'],
    [TIED, { OPTION_COMPILE_HEAD_DTYPE: 'int4' }, 'int4', 'int4'],
    [TIED, { OPTION_COMPILE_HEAD_DTYPE: 'float' }, 'fp32', 'fp32'],
    [TIED, { OPTION_COMPILE_EMBEDDING_DTYPE: 'int4' }, 'int4', 'int8'],
    [
      TIED,
      {
        OPTION_COMPILE_HEAD_DTYPE: 'int4',
        OPTION_COMPILE_ZERO_POINT: 'true',
        OPTION_COMPILE_BLOCK_SIZE: '32',
      },
      'int4',
      'int4',
    ],
    // Rows of 64 columns are half a block here, and have one zero point, half a byte.
    [TIED, { OPTION_COMPILE_HEAD_DTYPE: 'int4', OPTION_COMPILE_BLOCK_SIZE: '128' }, 'int4', 'int4'],
    [
      TIED,
      {
        OPTION_COMPILE_EMBEDDING_DTYPE: 'int4',
        OPTION_COMPILE_ZERO_POINT: 'true',
        OPTION_COMPILE_BLOCK_SIZE: '128',
      },
      'int4',
      'int8',
    ],
    [
      TIED,
      {
        OPTION_COMPILE_HEAD_DTYPE: 'int4',
        OPTION_COMPILE_ZERO_POINT: 'true',
        OPTION_COMPILE_BLOCK_SIZE: '128',
      },
      'int4',
      'int4',
    ],
    ['gemma2', {}, 'int8', 'int8'],
    ['qwen2_moe', {}, 'int8', 'int8'],
  ] as const)(
    'give the logits of what they stand for: %s, %j',
    async (name, given, table, head) => {
      const model = caseOf(name);
      const source = await writeModel(model);
      const environment = {
        OPTION_DTYPE: 'int4',
        OPTION_COMPILE_ACCURACY_LEVEL: '0',
        ...given,
      };
      const compiled = await compile(source, environment);
      expect(compiled.step.graph).toMatchObject({ embeddings: table, outputLayer: head });
      const { graph } = await planned(source, environment);
      const decoded = await decodeModules(
        join(compiled.folder, compiled.step.graph.weights),
        graph.weights,
      );
      const ids = tinyIds(24);
      const { logits } = await modelStates(await writeModel(decodedModel(model, decoded)), [ids]);
      const own = await compiledLogits(source, compiled, ids);
      expect(largestDifference(own, logits)).toBeLessThan(1e-3);
    },
  );

  it('are stored once where the output layer is the same weight', async () => {
    const source = await writeModel(caseOf(TIED));
    const ofTable = ({ graph }: Awaited<ReturnType<typeof planned>>) =>
      graph.weights.filter(
        (weight) =>
          (weight.kind === 'codes' || weight.kind === 'matrix') &&
          weight.matrix.parts.some(({ modules }) => modules[0]?.module === TABLE),
      );
    const alike = await planned(source, { OPTION_DTYPE: 'int4' });
    expect(ofTable(alike)).toMatchObject([{ kind: 'codes', codes: { length: 80 * 64 } }]);
    const apart = await planned(source, {
      OPTION_DTYPE: 'int4',
      OPTION_COMPILE_EMBEDDING_DTYPE: 'float',
    });
    expect(ofTable(apart)).toMatchObject([{ kind: 'matrix' }, { kind: 'codes' }]);
    expect(apart.graph.weightBytes).toBeGreaterThan(alike.graph.weightBytes + 80 * 64 * 3);
    const half = await planned(source, { OPTION_DTYPE: 'fp16' });
    expect(ofTable(half)).toMatchObject([{ kind: 'matrix', target: { length: 80 * 64 * 2 } }]);
  });

  it('stay in a graph that is rewritten for this machine', async () => {
    const source = await writeModel(caseOf(TIED));
    const ids = tinyIds(24);
    const portable = await compile(source, { OPTION_DTYPE: 'int4' });
    const own = await compile(source, {
      OPTION_DTYPE: 'int4',
      OPTION_COMPILE_TARGET: 'this_machine',
    });
    const expected = await compiledLogits(source, portable, ids);
    const logits = await compiledLogits(source, own, ids, ids.length, 'disabled');
    expect(largestDifference(logits, expected)).toBeLessThan(1e-3);
  });
});
