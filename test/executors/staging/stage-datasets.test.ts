import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { stageDatasets } from '#burnish/executors/staging/stage-datasets.js';
import { ObjectStoreError } from '#burnish/objects/errors.js';
import type { ObjectInfo, ObjectStore } from '#burnish/objects/object-store.js';
import { parseS3Uri } from '#burnish/objects/s3-uri.js';
import type { EnvironmentMap } from '#burnish/service-model/techniques.js';
import { folderStore } from '../../support/folder-store.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let root: string;
let folder: string;

beforeEach(async () => {
  root = temporaryFolder('texts');
  folder = join(temporaryFolder('job'), 'datasets');
  await mkdir(join(root, 'bucket/texts'), { recursive: true });
});

function stage(environment: EnvironmentMap, objects: ObjectStore = folderStore(root)) {
  return stageDatasets(objects, (uri) => parseS3Uri(uri), environment, folder, {});
}

function infoOfSize(size: number): ObjectInfo {
  return { key: 'a.txt', size, etag: '', lastModified: new Date(), headers: {}, metadata: {} };
}

describe('stageDatasets', () => {
  it('copies each text that a setting names, with the ending that tells its format', async () => {
    await writeFile(join(root, 'bucket/texts/a.jsonl'), '{"text":"a"}\n');
    await writeFile(join(root, 'bucket/texts/b.txt'), 'b');
    const staged = await stage({
      OPTION_CALIB_DATASET: 's3://bucket/texts/a.jsonl',
      OPTION_EVAL_DATASET: 's3://bucket/texts/b.txt',
      OPTION_QUANTIZE: 'awq',
    });
    expect(staged).toEqual({
      OPTION_CALIB_DATASET: join(folder, 'OPTION_CALIB_DATASET.jsonl'),
      OPTION_EVAL_DATASET: join(folder, 'OPTION_EVAL_DATASET.txt'),
    });
    expect(await readFile(join(folder, 'OPTION_CALIB_DATASET.jsonl'), 'utf8')).toBe(
      '{"text":"a"}\n',
    );
    expect(await readFile(join(folder, 'OPTION_EVAL_DATASET.txt'), 'utf8')).toBe('b');
  });

  it('copies nothing where no setting names one', async () => {
    expect(await stage({ OPTION_QUANTIZE: 'awq' })).toEqual({});
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('names the setting and the object that is not there', async () => {
    const failure = await stage({ OPTION_EVAL_DATASET: 's3://bucket/texts/c.txt' }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ObjectStoreError);
    expect(failure).toMatchObject({
      code: 'NoSuchKey',
      message: expect.stringContaining('OPTION_EVAL_DATASET: s3://bucket/texts/c.txt cannot'),
    });
  });

  it('names the setting of an object that breaks off half-way', async () => {
    const info = infoOfSize(4);
    const breaksOff = Readable.from(
      (function* () {
        yield Buffer.from('half');
        throw new ObjectStoreError('IncompleteBody', 'the store hung up');
      })(),
    );
    const objects: ObjectStore = {
      ...folderStore(root),
      read: async () => ({ info, body: breaksOff }),
    };
    await expect(stage({ OPTION_CALIB_DATASET: 's3://bucket/a.txt' }, objects)).rejects.toThrow(
      'OPTION_CALIB_DATASET: s3://bucket/a.txt cannot be read: the store hung up',
    );
  });

  it('refuses more than it would read through a model, by the setting', async () => {
    const info = infoOfSize(1024 ** 3 + 1);
    const body = Readable.from([]);
    const objects: ObjectStore = { ...folderStore(root), read: async () => ({ info, body }) };
    await expect(stage({ OPTION_CALIB_DATASET: 's3://bucket/a.txt' }, objects)).rejects.toThrow(
      'OPTION_CALIB_DATASET: s3://bucket/a.txt has 1073741825 bytes',
    );
    expect(body.destroyed).toBe(true);
  });
});
