import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { stageDatasets } from '#burnish/executors/staging/stage-datasets.js';
import { ObjectStoreError } from '#burnish/objects/errors.js';
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

function stage(environment: EnvironmentMap) {
  return stageDatasets(folderStore(root), (uri) => parseS3Uri(uri), environment, folder, {});
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
});
