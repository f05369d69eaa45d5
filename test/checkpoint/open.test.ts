import { readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { llama, randomTensor, safetensorsFile, writeModel } from './synthetic.js';

const INDEX = 'model.safetensors.index.json';
const FIRST = 'model-00001-of-00002.safetensors';

async function changeIndex(
  folder: string,
  change: (weightMap: Record<string, unknown>) => void,
): Promise<void> {
  const path = join(folder, INDEX);
  const index = JSON.parse(await readFile(path, 'utf8'));
  change(index.weight_map);
  await writeFile(path, JSON.stringify(index));
}

describe('openCheckpoint', () => {
  it('opens one file', async () => {
    const model = llama();
    const checkpoint = await openCheckpoint(await writeModel(model));
    expect([...checkpoint.tensors.keys()]).toEqual(model.tensors.map(({ name }) => name));
    expect(checkpoint.index).toBeUndefined();
    expect(checkpoint.config.modelType).toBe('llama');
    expect(checkpoint.notes).toEqual([]);
  });

  it('opens many files by their index', async () => {
    const model = llama();
    const checkpoint = await openCheckpoint(await writeModel({ ...model, shards: 3 }));
    expect([...checkpoint.tensors.keys()].sort()).toEqual(
      model.tensors.map(({ name }) => name).sort(),
    );
    expect(checkpoint.shards).toHaveLength(3);
    expect(checkpoint.index?.metadata).toMatchObject({ writer: 'test' });
  });

  it('opens a single file that has an index of its own', async () => {
    const folder = await writeModel({ ...llama(), shards: 1 });
    await rename(
      join(folder, 'model-00001-of-00001.safetensors'),
      join(folder, 'model.safetensors'),
    );
    await changeIndex(folder, (map) => {
      for (const name of Object.keys(map)) map[name] = 'model.safetensors';
    });
    expect((await openCheckpoint(folder)).shards).toHaveLength(1);
  });

  it('treats tensors that the index forgot as loaders do, and says so', async () => {
    const folder = await writeModel({ ...llama(), shards: 2 });
    await changeIndex(folder, (map) => {
      delete map['lm_head.weight'];
    });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.tensors.has('lm_head.weight')).toBe(true);
    expect(checkpoint.notes).toEqual([expect.stringContaining('lm_head.weight')]);
  });

  it('notes weights that are not part of the checkpoint', async () => {
    const folder = await writeModel({
      ...llama(),
      otherFiles: { 'original/consolidated.pth': '' },
    });
    expect((await openCheckpoint(folder)).notes).toEqual([
      expect.stringContaining('original/consolidated.pth'),
    ]);
  });

  it('refuses a folder without config.json', async () => {
    const folder = await writeModel(llama());
    await rm(join(folder, 'config.json'));
    await expect(openCheckpoint(folder)).rejects.toThrow('there is no config.json');
  });

  it.each([
    ['not JSON', '{', 'config.json: is not valid JSON'],
    ['a list', '[]', 'config.json: is not an object'],
    ['without a model type', '{}', 'config.json: has no model_type'],
    [
      'of a model with weights under another name',
      '{"model_type":"llama","transformers_weights":"other.safetensors"}',
      'config.json: names "other.safetensors" as transformers_weights',
    ],
  ])('refuses a config.json that is %s', async (_, text, message) => {
    const folder = await writeModel(llama());
    await writeFile(join(folder, 'config.json'), text);
    await expect(openCheckpoint(folder)).rejects.toThrow(message);
  });

  it('refuses an index that names a file that is missing', async () => {
    const folder = await writeModel({ ...llama(), shards: 2 });
    await rm(join(folder, FIRST));
    await expect(openCheckpoint(folder)).rejects.toThrow(`${INDEX}: names ${FIRST}, which is not`);
  });

  it.each([
    [
      'a tensor that is nowhere',
      'ghost.weight',
      FIRST,
      `tensor "ghost.weight": is not in ${FIRST}`,
    ],
    ['another file', 'lm_head.weight', FIRST.replace('00001', '00002'), 'but the index puts it in'],
    ['a path upwards', 'lm_head.weight', '../x.safetensors', 'not a plain file name'],
    ['an absolute path', 'lm_head.weight', '/etc/x.safetensors', 'not a plain file name'],
    ['a file of another kind', 'lm_head.weight', 'model.bin', 'not mapped to a .safetensors file'],
    ['a number', 'lm_head.weight', 3, 'not mapped to a .safetensors file'],
  ])('refuses an index that names %s', async (_, tensor, file, message) => {
    const folder = await writeModel({ ...llama(), shards: 2 });
    await changeIndex(folder, (map) => {
      map[tensor] = file;
    });
    await expect(openCheckpoint(folder)).rejects.toThrow(message);
    await expect(openCheckpoint(folder)).rejects.toThrow(INDEX);
  });

  it.each([
    ['{}', 'has no weight_map'],
    ['{"weight_map":{}}', 'names no tensor'],
    ['{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}', 'the name "a" appears twice'],
    ['[', 'is not valid JSON'],
  ])('refuses the index %s', async (text, message) => {
    const folder = await writeModel({ ...llama(), shards: 2 });
    await writeFile(join(folder, INDEX), text);
    await expect(openCheckpoint(folder)).rejects.toThrow(`${INDEX}: ${message}`);
  });

  it('refuses a tensor that is in two files', async () => {
    const folder = await writeModel({ ...llama(), shards: 2 });
    const twice = 'model-00003-of-00003.safetensors';
    await writeFile(
      join(folder, twice),
      safetensorsFile([randomTensor('lm_head.weight', [2, 2]), randomTensor('x', [1])]),
    );
    await changeIndex(folder, (map) => {
      map.x = twice;
    });
    await expect(openCheckpoint(folder)).rejects.toThrow('tensor "lm_head.weight": is also in');
  });

  it('refuses a single file beside an index of others', async () => {
    const folder = await writeModel({ ...llama(), shards: 2 });
    await writeFile(join(folder, 'model.safetensors'), safetensorsFile([]));
    await expect(openCheckpoint(folder)).rejects.toThrow('loaders disagree');
  });

  it.each([
    ['pytorch_model.bin', 'the weights are in pytorch_model.bin, and only safetensors are read'],
    ['consolidated.safetensors', 'only other .safetensors files'],
    ['README.md', 'there are no weights'],
  ])('refuses a folder with nothing but %s', async (name, message) => {
    const folder = temporaryFolder();
    await writeFile(join(folder, 'config.json'), '{"model_type":"llama"}');
    await writeFile(join(folder, name), '');
    await expect(openCheckpoint(folder)).rejects.toThrow(message);
  });

  it('refuses a checkpoint without tensors', async () => {
    const folder = await writeModel({ ...llama(), tensors: [] });
    await expect(openCheckpoint(folder)).rejects.toThrow('has no tensors');
  });

  it('refuses weights that are a link out of the folder', async () => {
    const folder = await writeModel(llama());
    const elsewhere = await writeModel(llama());
    await rm(join(folder, 'model.safetensors'));
    await symlink(join(elsewhere, 'model.safetensors'), join(folder, 'model.safetensors'));
    await expect(openCheckpoint(folder)).rejects.toThrow('leads out of the model folder');
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    await expect(openCheckpoint(await writeModel(llama()), stop.signal)).rejects.toThrow('stopped');
  });
});
