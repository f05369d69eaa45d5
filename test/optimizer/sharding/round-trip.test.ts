import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderSource } from '#burnish/checkpoint/chunked/folder-source.js';
import { readManifest, readRank } from '#burnish/checkpoint/chunked/read-rank.js';
import { readSafetensors } from '#burnish/checkpoint/safetensors/reader.js';
import type { SyntheticTensor } from '../../checkpoint/synthetic.js';
import { fc } from '../../support/properties.js';
import {
  GROUP,
  MODEL_TYPES,
  type ModelSizes,
  type ModelType,
  QUANTIZED_FORMS,
  type RandomModel,
  randomModel,
} from './random-models.js';
import { shard, writeModel } from './support.js';

interface Degrees {
  readonly tensor: number;
  readonly pipeline: number;
  readonly experts: boolean;
}

/** Degrees that divide a model, found from the definition of each. */
function legalDegrees(type: ModelType, sizes: ModelSizes): readonly Degrees[] {
  const { heads, keyValueHeads, width, vocabulary, experts, layers } = sizes;
  const mixture = type === 'mixtral' || (type.endsWith('_moe') && layers > 1);
  const padded = Math.ceil(vocabulary / 64) * 64;
  return [1, 2, 3, 4, 5, 6, 7, 8].flatMap((tensor) => {
    const divides =
      heads % tensor === 0 &&
      (keyValueHeads % tensor === 0 || tensor % keyValueHeads === 0) &&
      padded % tensor === 0;
    return Array.from({ length: layers }, (_, stage) => stage + 1).flatMap((pipeline) =>
      [false, ...(mixture ? [true] : [])].flatMap((whole) => {
        // Experts that are handed out whole leave the plain networks to be divided.
        const dividesWidth = width % tensor === 0 || (whole && type === 'mixtral');
        const works = divides && dividesWidth && (!whole || tensor <= experts);
        return works ? [{ tensor, pipeline, experts: whole }] : [];
      }),
    );
  });
}

const SIZES: fc.Arbitrary<ModelSizes> = fc
  .record({
    headSize: fc.constantFrom(4, 8, 10),
    heads: fc.constantFrom(2, 4, 6, 8),
    keyValueHeads: fc.constantFrom(1, 2, 4),
    hidden: fc.constantFrom(12, 16, 20),
    width: fc.constantFrom(12, 24, 40),
    layers: fc.integer({ min: 1, max: 5 }),
    vocabulary: fc.integer({ min: 1, max: 400 }),
    experts: fc.integer({ min: 2, max: 9 }),
    tied: fc.boolean(),
  })
  .filter(({ heads, keyValueHeads }) => heads % keyValueHeads === 0);

/** A few models of each architecture, each at a few of its legal degrees. */
const RUNS = { numRuns: 3 };

describe.each(MODEL_TYPES)('%s', (type) => {
  it('comes back from its chunks bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(SIZES, fc.nat(), async (sizes, pick) => {
        const degrees = legalDegrees(type, sizes);
        const chosen = degrees[pick % degrees.length];
        if (chosen === undefined) return;
        await expectRoundTrip(randomModel(type, sizes), chosen);
      }),
      RUNS,
    );
  });

  it('comes back from its sharded state bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(SIZES, fc.nat(), async (sizes, pick) => {
        const degrees = legalDegrees(type, sizes).filter(({ pipeline }) => pipeline === 1);
        const chosen = degrees[pick % degrees.length];
        if (chosen === undefined) return;
        const model = randomModel(type, sizes);
        const source = await writeModel(model.config, model.tensors);
        const { folder } = await shard(source, settings(chosen, 'sharded_state'));
        expect(await unfuse(folder, model, chosen)).toEqual(contents(model.tensors));
      }),
      RUNS,
    );
  });

  it.each(QUANTIZED_FORMS)('comes back from its chunks in the form $name', async (quantized) => {
    const sizes = {
      ...{ headSize: 16, heads: 8, keyValueHeads: 2, hidden: 64, width: 4 * GROUP },
      ...{ layers: 3, vocabulary: 100, experts: 3, tied: false },
    };
    const model = randomModel(type, sizes, quantized.form, quantized.config);
    // Four ranks share two key/value heads.
    await expectRoundTrip(model, { tensor: 4, pipeline: 2, experts: false });
  });
});

function settings({ tensor, pipeline, experts }: Degrees, layout: string) {
  return {
    TENSOR_PARALLEL_DEGREE: tensor,
    PIPELINE_PARALLEL_DEGREE: pipeline,
    ENABLE_EXPERT_PARALLEL: String(experts),
    SHARD_LAYOUT: layout,
  };
}

function contents(tensors: readonly SyntheticTensor[]): Readonly<Record<string, string>> {
  const entries = tensors.map(
    ({ name, data }) => [name, Buffer.from(data).toString('hex')] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function expectRoundTrip(model: RandomModel, degrees: Degrees): Promise<void> {
  const source = await writeModel(model.config, model.tensors, { 'tokenizer.json': '{}' });
  const { folder } = await shard(source, settings(degrees, 'chunked'));
  expect(await joinChunks(folder)).toEqual(contents(model.tensors));
  for (const name of ['config.json', 'tokenizer.json']) {
    expect(await readFile(join(folder, name))).toEqual(await readFile(join(source, name)));
  }
}

/** Puts the ranks together as the manifest describes them. */
async function joinChunks(folder: string): Promise<Readonly<Record<string, string>>> {
  const chunks = folderSource(folder);
  const manifest = await readManifest(chunks);
  const joined = new Map<string, { readonly data: Buffer; readonly filled: Uint8Array }>();
  for (const { pipelineRank, tensorRank } of manifest.ranks) {
    const rank = await readRank(chunks, manifest, { pipelineRank, tensorRank });
    for (const { name, shape, slice, data } of rank.values()) {
      const whole = slice?.of ?? shape;
      const axis = slice?.axis ?? 0;
      const ranges = slice?.ranges ?? [[0, whole[0] ?? 1]];
      const elements = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
      const elementBytes = elements(shape) === 0 ? 0 : data.length / elements(shape);
      const inner = elements(whole.slice(axis + 1)) * elementBytes;
      const outer = elements(whole.slice(0, axis));
      const bytes = elements(whole) * elementBytes;
      const into = joined.get(name) ?? { data: Buffer.alloc(bytes), filled: new Uint8Array(bytes) };
      joined.set(name, into);
      let from = 0;
      const rowBytes = data.length / outer;
      for (const [first = 0, count = 0] of ranges) {
        for (let row = 0; row < outer; row += 1) {
          const part = data.subarray(row * rowBytes + from, row * rowBytes + from + count * inner);
          const at = (row * (whole[axis] ?? 1) + first) * inner;
          into.data.set(part, at);
          into.filled.fill(1, at, at + part.length);
        }
        from += count * inner;
      }
      // What the rank has beyond its ranges is padding.
      for (let row = 0; row < outer; row += 1) {
        const padding = data.subarray(row * rowBytes + from, (row + 1) * rowBytes);
        expect(padding.every((byte) => byte === 0)).toBe(true);
      }
    }
  }
  const entries = [...joined].map(([name, { data, filled }]) => {
    expect(
      filled.every((byte) => byte === 1),
      name,
    ).toBe(true);
    return [name, data.toString('hex')] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

type State = ReadonlyMap<string, Buffer>;

async function readState(path: string): Promise<State> {
  const { tensors } = await readSafetensors(path);
  const file = await open(path);
  try {
    const state = new Map<string, Buffer>();
    for (const { name, offset, length } of tensors) {
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      state.set(name, buffer);
    }
    return state;
  } finally {
    await file.close();
  }
}

/** The checkpoint's tensors from vLLM's parameters: the reverse of what its layers do when they load. */
async function unfuse(
  folder: string,
  model: RandomModel,
  degrees: Degrees,
): Promise<Readonly<Record<string, string>>> {
  const states = await Promise.all(
    Array.from({ length: degrees.tensor }, (_, rank) =>
      readState(join(folder, `model-rank-${rank}-part-0.safetensors`)),
    ),
  );
  const entries = model.tensors.map(({ name, shape }): readonly [string, string] => {
    const parts = states.flatMap((state, rank) => partOf(name, state, rank, model, degrees) ?? []);
    return [name, joinParts(parts, shape).toString('hex')];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What one rank has of a tensor. */
type Part =
  | { readonly by: 'copy' | 'tokens' | 'columns'; readonly data: Buffer }
  | {
      readonly by: 'rows';
      /** Runs of rows, each with the number of ranks that have the same. */
      readonly segments: readonly { readonly data: Buffer; readonly shared: number }[];
    };

function partOf(
  name: string,
  state: State,
  rank: number,
  { type, sizes }: RandomModel,
  degrees: Degrees,
): Part | undefined {
  const find = (parameter: string): Buffer => {
    const found = state.get(parameter);
    if (found === undefined) throw new Error(`${parameter} is missing`);
    return found;
  };
  if (/(embed_tokens|lm_head)\.weight$/.test(name)) {
    const asHead = sizes.tied && type !== 'gemma2';
    return { data: find(asHead ? 'lm_head.weight' : name), by: 'tokens' };
  }
  if (name.includes('.experts.')) return expertPart(name, find, rank, sizes, degrees);
  const served = name
    .replace('mlp.shared_expert_gate', 'mlp.experts._shared_experts._layer.expert_gate')
    .replace('mlp.shared_expert.', 'mlp.experts._shared_experts._layer.')
    .replace('mlp.gate.', type === 'qwen3_moe' ? 'mlp.experts.gate.' : 'mlp.gate.');
  const fusion = /^(.*)\.(q|k|v|qkv|gate|up|gate_up)_proj\.(weight|bias)$/.exec(served);
  if (fusion !== null) {
    const [, parent, which = '', suffix = ''] = fusion;
    const inAttention = 'qkv'.includes(which);
    const fused = find(`${parent}.${inAttention ? 'qkv' : 'gate_up'}_proj.${suffix}`);
    const segments = inAttention
      ? attentionSegments(fused, sizes, degrees.tensor)
      : [fused.subarray(0, fused.length / 2), fused.subarray(fused.length / 2)].map((data) => ({
          data,
          shared: 1,
        }));
    const names = inAttention ? ['q', 'k', 'v'] : ['gate', 'up'];
    const own = names.indexOf(which);
    return { by: 'rows', segments: own === -1 ? segments : segments.slice(own, own + 1) };
  }
  const by = /(o_proj|down_proj)\.weight$/.test(served) ? 'columns' : 'copy';
  return { data: find(served), by };
}

function attentionSegments(
  fused: Buffer,
  { heads, keyValueHeads }: ModelSizes,
  degree: number,
): readonly { readonly data: Buffer; readonly shared: number }[] {
  const queries = heads / degree;
  const keys = Math.max(1, keyValueHeads / degree);
  const head = fused.length / (queries + 2 * keys);
  const shared = Math.max(1, degree / keyValueHeads);
  return [
    { data: fused.subarray(0, queries * head), shared: 1 },
    { data: fused.subarray(queries * head, (queries + keys) * head), shared },
    { data: fused.subarray((queries + keys) * head), shared },
  ];
}

function expertPart(
  name: string,
  find: (parameter: string) => Buffer,
  rank: number,
  { experts, width, hidden }: ModelSizes,
  { tensor: degree, experts: whole }: Degrees,
): Part | undefined {
  const [, parent = '', number, projection = ''] =
    /^(.*\.experts)\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
  const size = 2 * hidden * (whole ? width : width / degree);
  const down = projection === 'w2' || projection === 'down_proj';
  const fused = find(`${parent}.routed_experts.${down ? 'w2' : 'w13'}_weight`);
  // The first ranks have one expert more where they do not come out even.
  const owners = Array.from({ length: degree }, (_, owner) =>
    whole ? Math.ceil((experts - owner) / degree) : 0,
  );
  const first = owners.slice(0, rank).reduce((sum, count) => sum + count, 0);
  const index = Number(number) - first;
  const count = whole ? (owners[rank] ?? 0) : experts;
  expect(fused.length).toBe(count * size * (down ? 1 : 2));
  if (index < 0 || index >= count) return undefined;
  const up = projection === 'w3' || projection === 'up_proj' ? 1 : 0;
  const start = (down ? index : index * 2 + up) * size;
  const data = fused.subarray(start, start + size);
  if (whole) return { by: 'copy', data };
  return down ? { by: 'columns', data } : { by: 'rows', segments: [{ data, shared: 1 }] };
}

function joinParts(parts: readonly Part[], shape: readonly number[]): Buffer {
  const [first] = parts;
  if (first === undefined) throw new Error('no rank has the tensor');
  if (first.by === 'rows') {
    return Buffer.concat(
      first.segments.flatMap(({ shared }, index) =>
        parts.flatMap((part, rank) => {
          const segment = part.by === 'rows' ? part.segments[index] : undefined;
          return segment !== undefined && rank % shared === 0 ? [segment.data] : [];
        }),
      ),
    );
  }
  const data = parts.flatMap((part) => (part.by === 'rows' ? [] : [part.data]));
  if (first.by === 'copy') {
    for (const copy of data) expect(copy.equals(first.data)).toBe(true);
    return first.data;
  }
  if (first.by === 'tokens') {
    const bytes = shape.reduce((product, size) => product * size, 2);
    const all = Buffer.concat(data);
    expect(all.subarray(bytes).every((byte) => byte === 0)).toBe(true);
    return all.subarray(0, bytes);
  }
  const [rows = 1] = shape;
  const width = first.data.length / rows;
  return Buffer.concat(
    Array.from({ length: rows }, (_, row) =>
      data.map((columns) => columns.subarray(row * width, (row + 1) * width)),
    ).flat(),
  );
}
