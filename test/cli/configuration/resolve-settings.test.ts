import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_GLOBAL_OPTIONS } from '#burnish/cli/configuration/global-options.js';
import { resolveSettings } from '#burnish/cli/configuration/resolve-settings.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let home: string;
const LOCAL = 'http://127.0.0.1:4580';

beforeAll(() => {
  home = temporaryFolder('settings');
});

let files = 0;

/** A file of its own for each case: the loader keeps what it has read. */
function file(content: string): string {
  const path = join(home, `file-${++files}`);
  writeFileSync(path, content);
  return path;
}

const resolve = (
  options: Partial<typeof DEFAULT_GLOBAL_OPTIONS> = {},
  env: Readonly<Record<string, string>> = {},
) => resolveSettings({ ...DEFAULT_GLOBAL_OPTIONS, ...options }, { HOME: home, ...env });

describe('the endpoint', () => {
  const config = () =>
    file(
      [
        '[default]',
        'services = here',
        'endpoint_url = http://profile',
        '[services here]',
        'sagemaker =',
        '  endpoint_url = http://services',
        '[profile plain]',
        'endpoint_url = http://profile',
        '[profile aws]',
        'region = eu-west-1',
        '[profile ignoring]',
        'endpoint_url = http://profile',
        'ignore_configured_endpoint_urls = true',
      ].join('\n'),
    );

  it('is named by the option, the environment and the configuration, in this order', async () => {
    const env: Record<string, string> = {
      AWS_CONFIG_FILE: config(),
      AWS_ENDPOINT_URL_SAGEMAKER: 'http://sagemaker-variable',
      AWS_ENDPOINT_URL: 'http://variable',
      BURNISH_ENDPOINT_URL: 'http://burnish',
    };
    const endpoint = async (options = {}) => (await resolve(options, env)).endpointUrl;
    expect(await endpoint({ endpointUrl: 'http://option' })).toBe('http://option');
    expect(await endpoint()).toBe('http://sagemaker-variable');
    delete env.AWS_ENDPOINT_URL_SAGEMAKER;
    expect(await endpoint()).toBe('http://variable');
    delete env.AWS_ENDPOINT_URL;
    expect(await endpoint()).toBe('http://services');
    expect(await endpoint({ profile: 'plain' })).toBe('http://profile');
    expect(await endpoint({ profile: 'ignoring' })).toBe('http://burnish');
    env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = 'true';
    expect(await endpoint()).toBe('http://burnish');
  });

  it('is the local service with a profile that was made for AWS', async () => {
    const env = { AWS_CONFIG_FILE: config(), AWS_PROFILE: 'aws', AWS_REGION: 'us-west-2' };
    const settings = await resolve({}, env);
    expect(settings).toMatchObject({ endpointUrl: LOCAL, endpointIsDefault: true });
    expect(settings.region).toBe('us-west-2');
  });

  it.each([
    ['not a url', 'Invalid endpoint: not a url'],
    ['ftp://host', 'Not supported URL scheme ftp'],
  ])('can’t be "%s"', async (url, message) => {
    await expect(resolve({}, { AWS_ENDPOINT_URL: url })).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitStatus: 255,
    });
  });
});

describe('credentials', () => {
  const dataFolder = () => {
    const folder = join(home, `data-${++files}`);
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'credentials'),
      '[default]\naws_access_key_id = LOCALKEY\naws_secret_access_key = local\n',
    );
    writeFileSync(join(folder, 'config'), '[default]\nregion = eu-north-1\n');
    return folder;
  };

  it('are the local service’s own where none are configured', async () => {
    const settings = await resolve({}, { BURNISH_DATA_DIR: dataFolder() });
    expect(settings.region).toBe('eu-north-1');
    expect(await settings.credentials()).toEqual({
      accessKeyId: 'LOCALKEY',
      secretAccessKey: 'local',
    });
  });

  it('of the local service are never used anywhere else', async () => {
    process.env.AWS_EC2_METADATA_DISABLED = 'true';
    const env = { BURNISH_DATA_DIR: dataFolder(), AWS_ENDPOINT_URL: 'https://sagemaker.example' };
    const settings = await resolve({}, env);
    expect(settings.region).toBe('us-east-1');
    await expect(settings.credentials()).rejects.toMatchObject({ exitStatus: 253 });
  });

  it('come from the environment, and from the profile where that is an option', async () => {
    const env = {
      AWS_ACCESS_KEY_ID: 'ENVKEY',
      AWS_SECRET_ACCESS_KEY: 'env',
      AWS_SESSION_TOKEN: 'token',
      AWS_SHARED_CREDENTIALS_FILE: file(
        '[default]\naws_access_key_id = FILEKEY\naws_secret_access_key = file\n',
      ),
      BURNISH_DATA_DIR: dataFolder(),
    };
    const fromEnvironment = await (await resolve({}, env)).credentials();
    expect(fromEnvironment).toMatchObject({ accessKeyId: 'ENVKEY', sessionToken: 'token' });
    const fromFile = await (await resolve({ profile: 'default' }, env)).credentials();
    expect(fromFile).toEqual({ accessKeyId: 'FILEKEY', secretAccessKey: 'file' });
  });

  it('may be printed by a program', async () => {
    const printed = JSON.stringify({ Version: 1, AccessKeyId: 'RUNKEY', SecretAccessKey: 'run' });
    const config = file(
      `[profile run]\ncredential_process = ${process.execPath} -p 'JSON.stringify(${printed})'\n`,
    );
    // The AWS SDK's own chain reads the files that the process environment names.
    process.env.AWS_CONFIG_FILE = config;
    process.env.AWS_SHARED_CREDENTIALS_FILE = '/nowhere';
    try {
      const settings = await resolve({ profile: 'run' }, { AWS_CONFIG_FILE: config });
      expect(await settings.credentials()).toMatchObject({ accessKeyId: 'RUNKEY' });
    } finally {
      delete process.env.AWS_CONFIG_FILE;
      delete process.env.AWS_SHARED_CREDENTIALS_FILE;
    }
  });

  it('with a part missing say which', async () => {
    const settings = await resolve({}, { AWS_ACCESS_KEY_ID: 'ENVKEY' });
    await expect(settings.credentials()).rejects.toMatchObject({
      message: 'Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY',
      exitStatus: 255,
    });
  });
});

describe('the pager', () => {
  it('is AWS_PAGER, cli_pager, PAGER or less, in this order; nothing means none', async () => {
    const AWS_CONFIG_FILE = file('[default]\ncli_pager = from-file\n');
    const pager = async (env: Readonly<Record<string, string>>) => (await resolve({}, env)).pager;
    expect(await pager({})).toEqual({ command: 'less', isDefault: true });
    expect(await pager({ PAGER: 'more' })).toEqual({ command: 'more', isDefault: false });
    expect((await pager({ PAGER: 'more', AWS_CONFIG_FILE })).command).toBe('from-file');
    expect((await pager({ AWS_PAGER: 'cat', AWS_CONFIG_FILE })).command).toBe('cat');
    expect((await pager({ AWS_PAGER: '', AWS_CONFIG_FILE })).command).toBe('');
    expect((await resolve({ cliPager: false })).pager.command).toBeUndefined();
  });
});

describe('timeouts', () => {
  it('are a minute, or what the options say in seconds', async () => {
    expect(await resolve()).toMatchObject({ connectTimeout: 60_000, readTimeout: 60_000 });
    expect(await resolve({ cliConnectTimeout: 5, cliReadTimeout: 0 })).toMatchObject({
      connectTimeout: 5000,
      readTimeout: 0,
    });
  });
});

describe('a bad setting', () => {
  it.each([
    ['cli_timestamp_format = soon', {}, 253, 'Unknown cli_timestamp_format value: soon'],
    ['output = xml', {}, 255, 'Unknown output type: xml'],
    ['retry_mode = never', {}, 255, 'Invalid value provided to "mode": "never"'],
    ['max_attempts = 0', {}, 255, '"0" must be an integer'],
    ['region = not a region', {}, 255, "Provided region_name 'not a region' doesn't match"],
  ])('%s is named', async (line, env, exitStatus, message) => {
    const AWS_CONFIG_FILE = file(`[default]\n${line}\n`);
    await expect(resolve({}, { AWS_CONFIG_FILE, ...env })).rejects.toMatchObject({
      exitStatus,
      message: expect.stringContaining(message),
    });
  });
});
