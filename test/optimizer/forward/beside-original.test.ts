import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ForwardModel } from '#burnish/checkpoint/architectures/forward/forward-model.js';
import { readForwardModel } from '#burnish/checkpoint/architectures/forward/read-forward-model.js';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import { StatisticsCollector } from '#burnish/optimizer/calibration/statistics.js';
import { WorkingWeights } from '#burnish/optimizer/calibration/working-weights.js';
import { BLOCK_STAGES, ForwardPass } from '#burnish/optimizer/forward/forward-pass.js';
import { CAPTURE_PLACES } from '#burnish/optimizer/forward/graphs/capture.js';
import { Sessions } from '#burnish/optimizer/forward/runtime/session.js';
import { KeptInputs } from '#burnish/optimizer/forward/stages/kept-inputs.js';
import { StoredWeights } from '#burnish/optimizer/forward/weights/stored-weights.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import type { InputStatistics } from '#burnish/optimizer/techniques/input-statistics.js';

const MODEL = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));
const SEQUENCES = [0, 1, 2].map((start) =>
  Int32Array.from({ length: 24 }, (_, index) => (start * 311 + index * 97) % 1024),
);

describe('a model and the original beside it', () => {
  const sessions = new Sessions();
  const { signal } = new AbortController();
  let files: TensorFiles;
  let source: StoredWeights;
  let model: ForwardModel;

  beforeAll(async () => {
    const checkpoint = await openCheckpoint(MODEL);
    files = new TensorFiles(checkpoint.tensors);
    source = new StoredWeights(files);
    model = readForwardModel(checkpoint.config, checkpoint.tensors);
  });

  afterAll(async () => {
    await sessions.close();
    await files.close();
  });

  const begin = () => ForwardPass.begin(model, source, SEQUENCES, { sessions, signal });
  const firstBlock = () => model.blocks[0] ?? missing();

  async function statistics(
    stage: (typeof BLOCK_STAGES)[number],
    module: string,
    places: typeof CAPTURE_PLACES,
    { original, evenTokens = false }: { original?: WorkingWeights; evenTokens?: boolean } = {},
  ): Promise<InputStatistics> {
    const [pass, other] = [await begin(), await begin()];
    const sink = new StatisticsCollector();
    await pass.run(firstBlock(), stage, source, {
      capture: { sink, places, evenTokens },
      advance: false,
      ...(original === undefined ? {} : { original: { pass: other, source: original } }),
    });
    await pass.close();
    await other.close();
    return sink.of(module) ?? missing();
  }

  it.each([
    ['attention', 'self_attn.q_proj', 'input'],
    ['attention', 'self_attn.o_proj', 'output'],
    ['feedForward', 'mlp.up_proj', 'input'],
    ['feedForward', 'mlp.down_proj', 'output'],
  ] as const)('%s: %s sees the same at one place as at all', async (stage, name, place) => {
    const module = `model.layers.0.${name}`;
    const alone = await statistics(stage, module, [place]);
    expect(alone.tokens).toBe(72);
    expect(alone.original).toBeUndefined();
    expect(alone).toEqual(await statistics(stage, module, CAPTURE_PLACES));
  });

  it.each([
    ['attention', 'self_attn.q_proj', 'input'],
    ['feedForward', 'mlp.down_proj', 'output'],
  ] as const)('%s: even tokens count the same in what %s sees', async (stage, name, place) => {
    const module = `model.layers.0.${name}`;
    const { gram, columns, tokens } = await statistics(stage, module, [place], {
      evenTokens: true,
    });
    let trace = 0;
    for (let column = 0; column < columns; column += 1) trace += gram[column * (columns + 1)] ?? 0;
    expect(trace / (tokens * columns)).toBeCloseTo(1, 4);
  });

  it('is not swayed by how large the inputs of even tokens are', async () => {
    // Norms that give ten times as much to every token leave the sums as they are.
    const larger = new WorkingWeights(source);
    const norm = 'model.layers.0.input_layernorm.weight';
    larger.setTensor(
      norm,
      (await source.tensor(norm)).map((weight) => 10 * weight),
    );
    const module = 'model.layers.0.self_attn.q_proj';
    const plain = await statistics('attention', module, ['input'], { evenTokens: true });
    const pass = await begin();
    const sink = new StatisticsCollector();
    const capture = { sink, places: ['input'] as const, evenTokens: true };
    await pass.run(firstBlock(), 'attention', larger, { capture, advance: false });
    await pass.close();
    const found = sink.of(module) ?? missing();
    const largest = plain.gram.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [at, value] of found.gram.entries()) {
      expect(Math.abs(value - (plain.gram[at] ?? Number.NaN))).toBeLessThan(1e-5 * largest);
    }
    expect(found.meanMagnitude[0]).toBeCloseTo(10 * (plain.meanMagnitude[0] ?? Number.NaN), 3);
  });

  it('sums up the products of both models’ inputs', async () => {
    // Twice the norm is twice the input, and three times the values three times what o_proj gets.
    const original = new WorkingWeights(source);
    const norm = 'model.layers.0.input_layernorm.weight';
    original.setTensor(
      norm,
      (await source.tensor(norm)).map((weight) => 2 * weight),
    );
    const input = await statistics('attention', 'model.layers.0.self_attn.k_proj', ['input'], {
      original,
    });
    expectTimes(input, 2);

    const values = new WorkingWeights(source);
    const module = 'model.layers.0.self_attn.v_proj';
    const matrix = await source.matrix(module);
    values.setMatrix(module, { ...matrix, values: matrix.values.map((weight) => 3 * weight) });
    const output = await statistics(
      'attention',
      'model.layers.0.self_attn.o_proj',
      CAPTURE_PLACES,
      { original: values, evenTokens: true },
    );
    expectTimes(output, 3);
  });

  it('sums up over all runs what each of them sees', async () => {
    const many = Array.from({ length: 60 }, (_, start) =>
      Int32Array.from({ length: 24 }, (_, index) => (start * 311 + index * 97) % 1024),
    );
    const module = 'model.layers.0.mlp.down_proj';
    const of = async (sequences: readonly Int32Array[]): Promise<InputStatistics> => {
      const pass = await ForwardPass.begin(model, source, sequences, { sessions, signal });
      const sink = new StatisticsCollector();
      const capture = { sink, places: ['output'] as const, evenTokens: false };
      await pass.run(firstBlock(), 'feedForward', source, { capture, advance: false });
      await pass.close();
      return sink.of(module) ?? missing();
    };
    const whole = await of(many);
    const parts = [
      await of(many.slice(0, 20)),
      await of(many.slice(20, 40)),
      await of(many.slice(40)),
    ];
    const sum = (pick: (found: InputStatistics) => Float32Array, at: number): number =>
      parts.reduce((total, part) => total + (pick(part)[at] ?? Number.NaN), 0);
    expect(whole.tokens).toBe(1440);
    const largest = whole.gram.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [at, value] of whole.gram.entries()) {
      expect(Math.abs(value - sum(({ gram }) => gram, at))).toBeLessThan(1e-5 * largest);
    }
    for (const [at, mean] of whole.meanMagnitude.entries()) {
      expect(mean).toBeCloseTo(sum(({ meanMagnitude }) => meanMagnitude, at) / 3, 4);
      const most = Math.max(...parts.map((part) => part.largestMagnitude[at] ?? Number.NaN));
      expect(whole.largestMagnitude[at]).toBe(most);
    }
  });

  it.each([
    ['in memory', {}],
    ['on disk', { memoryBytes: 0 }],
  ])(
    'moves both on from inputs that were kept %s as if they were computed again',
    async (_, spill) => {
      const computed = [await begin(), await begin()] as const;
      const spared = [await begin(), await begin()] as const;
      const original = new WorkingWeights(source);
      const module = 'model.layers.0.mlp.up_proj';
      const matrix = await source.matrix(module);
      original.setMatrix(module, { ...matrix, values: matrix.values.map((weight) => -weight) });
      for (const stage of BLOCK_STAGES) {
        const [pass, other] = computed;
        await pass.run(firstBlock(), stage, source, {
          original: { pass: other, source: original },
        });

        const beside = { original: { pass: spared[1], source: original } };
        const kept = new KeptInputs(spill);
        const capture = {
          sink: new StatisticsCollector(),
          places: CAPTURE_PLACES,
          evenTokens: true,
        };
        await spared[0].run(firstBlock(), stage, source, {
          ...beside,
          capture,
          advance: false,
          kept,
        });
        expect(kept.of('own')?.tokens).toBe(72);
        await spared[0].run(firstBlock(), stage, source, { ...beside, kept });
        await kept.close();
      }
      for (const [index, pass] of spared.entries()) {
        const expected = await (computed[index] ?? missing()).read(0, pass.tokens);
        expect(await pass.read(0, pass.tokens)).toEqual(expected);
      }
      expect(await spared[0].read(0, 72)).not.toEqual(await spared[1].read(0, 72));
    },
  );

  it('takes kept inputs in place of what comes before the last layer', async () => {
    const pass = await begin();
    const kept = new KeptInputs();
    const capture = { sink: new StatisticsCollector(), places: CAPTURE_PLACES, evenTokens: false };
    await pass.run(firstBlock(), 'feedForward', source, { capture, advance: false, kept });
    const inputs = kept.of('own') ?? missing();
    await inputs.write(0, new Float32Array(inputs.tokens * inputs.width));
    const before = Float32Array.from(await pass.read(0, pass.tokens));
    await pass.run(firstBlock(), 'feedForward', source, { kept });
    expect(await pass.read(0, pass.tokens)).toEqual(before);
    await kept.close();
  });

  it('moves both on, each by its own weights', async () => {
    const alone = await begin();
    const [pass, other] = [await begin(), await begin()];
    const changed = new WorkingWeights(source);
    const module = 'model.layers.0.mlp.down_proj';
    const matrix = await source.matrix(module);
    changed.setMatrix(module, { ...matrix, values: matrix.values.map((weight) => -weight) });
    for (const stage of BLOCK_STAGES) {
      await alone.run(firstBlock(), stage, source);
      await pass.run(firstBlock(), stage, changed, { original: { pass: other, source } });
    }
    const [expected, own, original] = [
      await alone.read(0, alone.tokens),
      await pass.read(0, pass.tokens),
      await other.read(0, other.tokens),
    ];
    expect(original).toEqual(expected);
    expect(own).not.toEqual(expected);
  });
});

function expectTimes({ gram, original }: InputStatistics, factor: number): void {
  const largest = gram.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(original).toHaveLength(gram.length);
  for (const [at, value] of gram.entries()) {
    expect(Math.abs((original?.[at] ?? Number.NaN) - factor * value)).toBeLessThan(1e-5 * largest);
  }
}

function missing(): never {
  throw new Error('there is nothing of the kind');
}
