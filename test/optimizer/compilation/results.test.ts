import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { writeModel } from '../../checkpoint/synthetic.js';
import { largestDifference, modelStates } from '../../support/model-states.js';
import { compile, compiledLogits, readJson } from './compiling.js';
import { TINY_CASES, tinyIds, tinyModel } from './tiny-models.js';

const MODEL = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));

describe('a compiled folder', () => {
  it('says in genai_config.json what onnxruntime-genai has to know', async () => {
    const { folder } = await compile(MODEL, { OPTION_N_POSITIONS: '128' });
    expect(await readJson(join(folder, 'genai_config.json'))).toMatchObject({
      model: {
        type: 'llama',
        bos_token_id: 0,
        eos_token_id: 1,
        context_length: 128,
        vocab_size: 1024,
        decoder: {
          filename: 'model.onnx',
          session_options: { intra_op_num_threads: 0 },
          head_size: 32,
          num_attention_heads: 8,
          num_key_value_heads: 4,
          num_hidden_layers: 4,
        },
      },
      search: { max_length: 128, past_present_share_buffer: true, do_sample: false },
    });
  });

  it('is laid out for Transformers.js when asked', async () => {
    const { folder, step } = await compile(MODEL, {
      OPTION_DTYPE: 'int4',
      OPTION_COMPILE_LAYOUT: 'transformers_js',
    });
    expect((await readdir(join(folder, 'onnx'))).sort()).toEqual([
      'model_q4.onnx',
      'model_q4.onnx_data',
    ]);
    expect(step.graph.file).toBe('onnx/model_q4.onnx');
    const before = await readJson(join(MODEL, 'config.json'));
    expect(await readJson(join(folder, 'config.json'))).toEqual({
      ...before,
      'transformers.js_config': {
        dtype: 'q4',
        use_external_data_format: { 'model_q4.onnx': 1 },
      },
    });
    await expect(stat(join(folder, 'genai_config.json'))).rejects.toThrow('ENOENT');
  });

  it('holds a graph rewritten for this machine when asked, with the same logits', async () => {
    const ids = tinyIds(24);
    const { logits } = await modelStates(MODEL, [ids]);
    const compiled = await compile(MODEL, { OPTION_COMPILE_TARGET: 'this_machine' });
    expect(compiled.step.settings.OPTION_OPTIMIZATION_LEVEL).toBe('3');
    expect(compiled.step.graph.optimizedForThisMachine).toBe(true);
    const own = await compiledLogits(MODEL, compiled, ids, ids.length, 'disabled');
    expect(largestDifference(own, logits)).toBeLessThan(1e-3);
    const config = await readFile(join(compiled.folder, 'genai_config.json'), 'utf8');
    expect(config).toContain('"graph_optimization_level": "ORT_DISABLE_ALL"');
  });

  it('is the same to the byte every time', async () => {
    const [first, second] = await Promise.all([
      compile(MODEL, { OPTION_DTYPE: 'int4' }),
      compile(MODEL, { OPTION_DTYPE: 'int4' }),
    ]);
    for (const name of ['model.onnx', 'model.onnx.data', 'genai_config.json']) {
      const bytes = await readFile(join(first.folder, name));
      expect(bytes.equals(await readFile(join(second.folder, name)))).toBe(true);
    }
  });

  it('has its weights where they can be mapped', async () => {
    const { folder } = await compile(MODEL);
    const graph = (await readFile(join(folder, 'model.onnx'))).toString('latin1');
    const offsets = [...graph.matchAll(/offset[\s\S]{2}(\d+)/g)].map(([, offset]) =>
      Number(offset),
    );
    expect(offsets.length).toBeGreaterThan(20);
    const pages = offsets.filter((offset) => offset % 4096 === 0);
    // All but the norms, which are shorter than a page.
    expect(offsets.length - pages.length).toBeLessThanOrEqual(9);
    expect(offsets.every((offset) => offset % 64 === 0)).toBe(true);
  });

  it.each(TINY_CASES.map((tiny) => [tiny.name, tiny] as const))(
    'is near the model in fp16 and int8: %s',
    async (_, tiny) => {
      const source = await writeModel(tinyModel(tiny));
      const ids = tinyIds(24);
      const { logits } = await modelStates(source, [ids]);
      const range = Math.max(...logits.map(Math.abs));
      for (const [dtype, part] of [
        ['fp16', 0.005],
        ['int8', 0.05],
      ] as const) {
        const compiled = await compile(source, { OPTION_DTYPE: dtype });
        const own = await compiledLogits(source, compiled, ids);
        // A router may choose another expert for a few tokens.
        const off = own
          .map((logit, at) => Math.abs(logit - (logits[at] ?? 0)))
          .sort((a, b) => a - b);
        expect(off[Math.floor(off.length * 0.75)]).toBeLessThan(part * range);
      }
    },
  );

  it('is refused where positions, heads or the end of texts do not fit', async () => {
    await expect(compile(MODEL, { OPTION_N_POSITIONS: '257' })).rejects.toThrow(
      /OPTION_N_POSITIONS is 257, but the model was made for 256 positions/,
    );
    const [plain] = TINY_CASES;
    if (plain === undefined) throw new Error('there are no cases');
    const { config, tensors } = tinyModel({ ...plain, headSize: 12 });
    const narrow = await writeModel({ config: { ...config, head_dim: 12 }, tensors });
    await expect(compile(narrow)).rejects.toThrow(/heads of 12.*multiples of 8/);
    const { eos_token_id: _, ...endless } = config as Record<string, unknown>;
    const other = tinyModel(plain);
    const without = await writeModel({ config: endless, tensors: other.tensors });
    await expect(compile(without)).rejects.toThrow(/eos_token_id/);
  });

  it('is not made once there is a stop', async () => {
    const stop = new AbortController();
    const run = compile(
      MODEL,
      {},
      {
        signal: stop.signal,
        log: () => stop.abort(new Error('stopped')),
      },
    );
    await expect(run).rejects.toThrow('stopped');
  });
});
