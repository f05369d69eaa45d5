/** Every global option has an effect that shows from outside, in what is sent or printed. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type MockService, startMockService } from './mock-service.js';
import { type Home, makeHome } from './run-burnish.js';

const JOB = '{"OptimizationJobName":"job-1","OptimizationJobStatus":"COMPLETED","CreationTime":0}';

let home: Home;
let service: MockService;
const services: MockService[] = [];

beforeAll(() => {
  home = makeHome();
});

afterEach(async () => {
  await Promise.all(services.splice(0).map((one) => one.close()));
});

async function start(...answer: Parameters<typeof startMockService>): Promise<MockService> {
  service = await startMockService(...answer);
  services.push(service);
  return service;
}

/** Describes a job at a service that knows one. */
async function describeJob(
  args: readonly string[] = [],
  env: Readonly<Record<string, string | undefined>> = {},
) {
  const { url } = await start(() => ({ body: JOB }));
  return home.burnish(['describe-optimization-job', '--optimization-job-name', 'job-1', ...args], {
    AWS_ENDPOINT_URL: url,
    ...env,
  });
}

const authorization = () => String(service.requests[0]?.headers.authorization);

describe('--debug', () => {
  it('tells on standard error what was sent and received, but no secret', async () => {
    const { stderr, status } = await describeJob(['--debug'], { AWS_SESSION_TOKEN: 'the-token' });
    expect(status).toBe(0);
    expect(stderr).toContain(service.url);
    expect(stderr).toContain('SageMaker.DescribeOptimizationJob');
    expect(stderr).toContain('"OptimizationJobName":"job-1"');
    expect(stderr).toContain('Status 200');
    expect(stderr).toContain('AKIDEXAMPLE');
    expect(stderr).not.toContain('very-secret');
    expect(stderr).not.toContain('the-token');
    const [, signature = 'none'] = /Signature=(\w+)/.exec(authorization()) ?? [];
    expect(stderr).not.toContain(signature);
  });

  it('is silent when it is not given', async () => {
    expect((await describeJob()).stderr).toBe('');
  });
});

describe('--endpoint-url', () => {
  it('wins over the environment', async () => {
    const { url } = await start(() => ({ body: JOB }));
    const option = service;
    const { status } = await describeJob(['--endpoint-url', url]);
    expect(status).toBe(0);
    expect(option.requests).toHaveLength(1);
    expect(service.requests).toHaveLength(0);
  });

  it('has to be a URL', async () => {
    const { stderr, status } = await describeJob(['--endpoint-url', 'localhost']);
    expect(status).toBe(252);
    expect(stderr).toContain('Bad value for --endpoint-url "localhost": scheme is missing.');
  });
});

describe('--no-paginate', () => {
  it('asks once, where otherwise all pages are asked for', async () => {
    const pages = () =>
      start((_, count) => ({
        body: JSON.stringify({ Tags: [], ...(count === 1 && { NextToken: 'more' }) }),
      }));
    const list = async (...args: string[]) => {
      const { url } = await pages();
      await home.burnish(['list-tags', '--resource-arn', 'arn', '--endpoint-url', url, ...args]);
      return service.requests.length;
    };
    expect(await list()).toBe(2);
    expect(await list('--no-paginate')).toBe(1);
  });
});

describe('--output', () => {
  it.each([
    ['json', '{\n    "OptimizationJobStatus": "COMPLETED"'],
    ['text', '1970-01-01T00:00:00+00:00\tjob-1\tCOMPLETED\n'],
    ['table', '|  1970-01-01T00:00:00+00:00|  job-1 '],
    ['yaml', 'OptimizationJobName: job-1\n'],
    ['yaml-stream', "- CreationTime: '1970-01-01T00:00:00+00:00'\n"],
  ])('prints %s', async (format, part) => {
    expect((await describeJob(['--output', format])).stdout).toContain(part);
  });

  it('wins over AWS_DEFAULT_OUTPUT, which wins over the profile', async () => {
    const config = home.write('output-config', '[default]\noutput = yaml\n');
    const settings = { AWS_CONFIG_FILE: config };
    expect((await describeJob([], settings)).stdout).toMatch(/^CreationTime:/);
    const text = { ...settings, AWS_DEFAULT_OUTPUT: 'text' };
    expect((await describeJob([], text)).stdout).toMatch(/^1970/);
    expect((await describeJob(['--output', 'json'], text)).stdout).toMatch(/^\{/);
  });
});

describe('--query', () => {
  it('selects what is printed', async () => {
    const { stdout } = await describeJob(['--query', 'OptimizationJobStatus']);
    expect(stdout).toBe('"COMPLETED"\n');
  });

  it('is checked before anything is sent', async () => {
    const { stderr, status } = await describeJob(['--query', 'a[']);
    expect(status).toBe(252);
    expect(stderr).toContain('Bad value for --query a[: ');
    expect(service.requests).toHaveLength(0);
  });
});

describe('--profile', () => {
  const files = () => ({
    AWS_CONFIG_FILE: home.write(
      'profile-config',
      '[default]\nregion = eu-west-1\n[profile other]\nregion = ap-south-1\noutput = text\n',
    ),
    AWS_SHARED_CREDENTIALS_FILE: home.write(
      'profile-credentials',
      '[other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = s\naws_session_token = t\n',
    ),
  });

  it('chooses the settings and, over the environment, the access key', async () => {
    const { stdout } = await describeJob(['--profile', 'other'], files());
    expect(stdout).toMatch(/^1970/);
    expect(authorization()).toMatch(/Credential=AKIDOTHER\/\d{8}\/ap-south-1\/sagemaker\//);
    expect(service.requests[0]?.headers['x-amz-security-token']).toBe('t');
  });

  it('as AWS_PROFILE leaves the access key of the environment in force', async () => {
    await describeJob([], { ...files(), AWS_PROFILE: 'other' });
    expect(authorization()).toMatch(/Credential=AKIDEXAMPLE\/\d{8}\/ap-south-1\//);
  });

  it('has to exist', async () => {
    const { stderr, status } = await describeJob(['--profile', 'nobody'], files());
    expect([status, stderr]).toEqual([255, '\nThe config profile (nobody) could not be found\n']);
  });
});

describe('--region', () => {
  it('is what requests are signed for, over environment and profile', async () => {
    const config = home.write('region-config', '[default]\nregion = eu-west-1\n');
    const regionOf = async (args: string[], env: Readonly<Record<string, string>>) => {
      await describeJob(args, { AWS_CONFIG_FILE: config, ...env });
      return authorization().split('/')[2];
    };
    const env = { AWS_DEFAULT_REGION: 'eu-north-1', AWS_REGION: 'eu-central-1' };
    expect(await regionOf(['--region', 'ap-east-1'], env)).toBe('ap-east-1');
    expect(await regionOf([], env)).toBe('eu-central-1');
    expect(await regionOf([], { AWS_DEFAULT_REGION: 'eu-north-1' })).toBe('eu-north-1');
    expect(await regionOf([], {})).toBe('eu-west-1');
    expect(await regionOf([], { AWS_CONFIG_FILE: '/nowhere' })).toBe('us-east-1');
  });
});

describe('--version', () => {
  it('prints the version and asks nothing', async () => {
    const { stdout, status } = await home.burnish(['--version']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^burnish\/\d+\.\d+\.\d+ Node\/\d+/);
  });
});

describe('--color', () => {
  it('colors a table, and only a table', async () => {
    const table = ['--output', 'table'];
    expect((await describeJob([...table, '--color', 'on'])).stdout).toContain(
      '\u001b[1m\u001b[34m',
    );
    expect((await describeJob([...table, '--color', 'off'])).stdout).not.toContain('\u001b');
    expect((await describeJob(table)).stdout).not.toContain('\u001b');
    expect((await describeJob(['--color', 'on'])).stdout).not.toContain('\u001b');
  });
});

describe('--no-sign-request', () => {
  it('sends no signature and needs no credentials', async () => {
    const nobody = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const { status } = await describeJob(['--no-sign-request'], nobody);
    expect(status).toBe(0);
    expect(service.requests[0]?.headers.authorization).toBeUndefined();
    const unconfigured = await describeJob([], nobody);
    expect([unconfigured.status, unconfigured.stderr]).toEqual([
      253,
      '\nUnable to locate credentials. You can configure credentials by running "aws configure".\n',
    ]);
  });
});

describe('--cli-binary-format', () => {
  it('is taken, and its value is checked', async () => {
    const good = await describeJob(['--cli-binary-format', 'raw-in-base64-out']);
    expect(good.status).toBe(0);
    expect((await describeJob(['--cli-binary-format', 'hex'])).status).toBe(252);
    const config = home.write('binary-config', '[default]\ncli_binary_format = hex\n');
    expect((await describeJob([], { AWS_CONFIG_FILE: config })).status).toBe(253);
  });
});

describe('--cli-auto-prompt and --no-cli-auto-prompt', () => {
  it('asks only on a terminal, and never when it is told not to', async () => {
    expect((await describeJob(['--cli-auto-prompt'])).status).toBe(253);
    const on = { AWS_CLI_AUTO_PROMPT: 'on' };
    expect((await describeJob([], on)).stderr).toContain('needs a terminal');
    expect((await describeJob(['--no-cli-auto-prompt'], on)).status).toBe(0);
    const config = home.write('prompt-config', '[default]\ncli_auto_prompt = on\n');
    expect((await describeJob([], { AWS_CONFIG_FILE: config })).status).toBe(253);
    const both = await describeJob(['--cli-auto-prompt', '--no-cli-auto-prompt']);
    expect(both.status).toBe(252);
    expect(both.stderr).toContain('cannot be specified at the same time');
  });

  it('on-partial asks only after arguments that can’t be used', async () => {
    const partial = { AWS_CLI_AUTO_PROMPT: 'on-partial' };
    expect((await describeJob([], partial)).status).toBe(0);
    const { stderr, status } = await home.burnish(['describe-optimization-job'], partial);
    expect(status).toBe(253);
    expect(stderr).toContain('needs a terminal');
  });
});
