import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { findCredentials } from '#burnish/executors/images/registry-credentials.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let folder: string;

beforeEach(async () => {
  folder = temporaryFolder('credentials');
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('findCredentials', () => {
  it('prefers what is configured', async () => {
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'a:b\n');
    const registries = [{ registry: 'r.example:5000', username: 'u', passwordFile }];
    const sources = { registries, dockerConfigFile: undefined };
    expect(await findCredentials('r.example:5000', sources)).toEqual({
      username: 'u',
      password: 'a:b',
    });
    expect(await findCredentials('r.example', sources)).toBeUndefined();
  });

  it('says which password can’t be read', async () => {
    const registries = [{ registry: 'r', username: 'u', passwordFile: join(folder, 'no') }];
    await expect(findCredentials('r', { registries, dockerConfigFile: undefined })).rejects.toThrow(
      /registry r can’t be read.*ENOENT/,
    );
  });

  it('reads what `docker login` keeps', async () => {
    const dockerConfigFile = join(folder, 'config.json');
    const sources = { registries: [], dockerConfigFile };
    const auths = {
      'r.example': { auth: base64('u:p:q\0') },
      'https://index.docker.io/v1/': { auth: base64('hub:p') },
      'broken.example': { auth: 7 },
      'helper.example': {},
    };
    await writeFile(dockerConfigFile, JSON.stringify({ auths }));
    expect(await findCredentials('r.example', sources)).toEqual({ username: 'u', password: 'p:q' });
    expect(await findCredentials('docker.io', sources)).toEqual({ username: 'hub', password: 'p' });
    expect(await findCredentials('broken.example', sources)).toBeUndefined();
    expect(await findCredentials('helper.example', sources)).toBeUndefined();
  });

  it.each(['', '[]', '{"auths": null}', '{'])('finds nothing in %j', async (text) => {
    const dockerConfigFile = join(folder, 'config.json');
    await writeFile(dockerConfigFile, text);
    expect(await findCredentials('r', { registries: [], dockerConfigFile })).toBeUndefined();
  });
});
