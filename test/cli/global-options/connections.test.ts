/** Trust, timeouts, retries, proxies and what is said when a connection fails. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CERTIFICATE, KEY } from './certificate.js';
import { type MockAnswer, type MockService, startMockService } from './mock-service.js';
import { BURNISH, type Home, makeHome } from './run-burnish.js';

let home: Home;
const cleanups: (() => unknown)[] = [];

beforeAll(() => {
  home = makeHome();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(...answer: Parameters<typeof startMockService>): Promise<MockService> {
  const service = await startMockService(...answer);
  cleanups.push(() => service.close());
  return service;
}

const STOP = ['stop-optimization-job', '--optimization-job-name', 'job-1'];

const stopAt = (
  url: string,
  args: readonly string[] = [],
  env?: Readonly<Record<string, string | undefined>>,
) => home.burnish([...STOP, '--endpoint-url', url, ...args], env);

describe('a certificate that nobody vouches for', () => {
  const startTls = () => start(() => ({ body: '' }), { key: KEY, cert: CERTIFICATE });

  it('is refused', async () => {
    const { url, requests } = await startTls();
    const { stderr, status } = await stopAt(url);
    expect(status).toBe(255);
    expect(stderr).toContain(`SSL validation failed for ${url}/ `);
    expect(requests).toHaveLength(0);
  });

  it('is accepted with --no-verify-ssl', async () => {
    const { url, requests } = await startTls();
    expect(await stopAt(url, ['--no-verify-ssl'])).toMatchObject({ status: 0, stderr: '' });
    expect(requests).toHaveLength(1);
  });

  it('is accepted with --ca-bundle, AWS_CA_BUNDLE or ca_bundle that hold its authority', async () => {
    const { url } = await startTls();
    const bundle = home.write('ca.pem', CERTIFICATE);
    const config = home.write('ca-config', `[default]\nca_bundle = ${bundle}\n`);
    expect((await stopAt(url, ['--ca-bundle', bundle])).status).toBe(0);
    expect((await stopAt(url, [], { AWS_CA_BUNDLE: bundle })).status).toBe(0);
    expect((await stopAt(url, [], { AWS_CONFIG_FILE: config })).status).toBe(0);
    const missing = await stopAt(url, ['--ca-bundle', '/nowhere.pem']);
    expect(missing.status).toBe(255);
    expect(missing.stderr).toContain('/nowhere.pem');
  });
});

describe('--cli-read-timeout', () => {
  it('ends the wait for an answer', async () => {
    const silent = await listen(() => {});
    const { stderr, status } = await stopAt(silent, ['--cli-read-timeout', '1']);
    expect([status, stderr]).toEqual([255, `\nRead timeout on endpoint URL: "${silent}/"\n`]);
  });

  it('ends the wait for the rest of an answer', async () => {
    const stalling = await listen((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{'));
    });
    const { stderr } = await stopAt(stalling, ['--cli-read-timeout', '1']);
    expect(stderr).toContain('Read timeout on endpoint URL');
  });
});

describe('--cli-connect-timeout', () => {
  it('ends the wait for a connection', async () => {
    const { stderr, status } = await stopAt(await fullServer(), ['--cli-connect-timeout', '1']);
    expect(stderr).toMatch(/^\nConnect timeout on endpoint URL: "http:/);
    expect(status).toBe(255);
  });
});

describe('a request that fails', () => {
  const retries = { AWS_MAX_ATTEMPTS: undefined };
  const first = (count: number, bad: MockAnswer) =>
    start((_, n) => (n <= count ? bad : { body: '' }));

  it.each([
    [
      'throttling',
      { status: 400, body: '{"__type":"ThrottlingException","message":"Rate exceeded"}' },
    ],
    ['a fault of the service', { status: 500, body: '{"__type":"InternalFailure"}' }],
    ['a gateway', { status: 503, body: '<html>' }],
  ])('for %s is tried again', async (_, bad) => {
    const service = await first(2, bad);
    expect((await stopAt(service.url, [], retries)).status).toBe(0);
    expect(service.requests).toHaveLength(3);
    expect(service.requests.map(({ headers }) => headers['amz-sdk-request'])).toEqual([
      'attempt=1; max=3',
      'attempt=2; max=3',
      'attempt=3; max=3',
    ]);
  });

  it('is given up after three tries', async () => {
    const service = await first(3, { status: 502, body: '' });
    const { stderr, status } = await stopAt(service.url, [], retries);
    expect([status, stderr]).toEqual([
      254,
      '\nAn error occurred (502) when calling the StopOptimizationJob operation (reached max retries: 2): Bad Gateway\n',
    ]);
  });

  it('for what the caller did is not tried again', async () => {
    const service = await start(() => ({
      status: 400,
      body: '{"__type":"com.amazonaws#ResourceNotFound","Message":"no such job"}',
    }));
    const { stderr, status } = await stopAt(service.url, [], retries);
    expect([status, stderr]).toEqual([
      254,
      '\nAn error occurred (ResourceNotFound) when calling the StopOptimizationJob operation: no such job\n',
    ]);
    expect(service.requests).toHaveLength(1);
  });

  it('is tried as often as AWS_MAX_ATTEMPTS or max_attempts say', async () => {
    const config = home.write('retry-config', '[default]\nmax_attempts = 2\n');
    const service = await first(9, { status: 500, body: '' });
    await stopAt(service.url, [], { AWS_MAX_ATTEMPTS: undefined, AWS_CONFIG_FILE: config });
    expect(service.requests).toHaveLength(2);
    await stopAt(service.url, [], { AWS_MAX_ATTEMPTS: '1', AWS_CONFIG_FILE: config });
    expect(service.requests).toHaveLength(3);
    const wrong = await stopAt(service.url, [], { AWS_MAX_ATTEMPTS: 'many' });
    expect(wrong.status).toBe(255);
    expect(wrong.stderr).toContain('many');
  });

  it('because nobody listens names the endpoint', async () => {
    const { stderr, status } = await stopAt('http://127.0.0.1:1');
    expect([status, stderr]).toEqual([
      255,
      '\nCould not connect to the endpoint URL: "http://127.0.0.1:1/"\n',
    ]);
  });

  it('at the local service tells what to do', async () => {
    const nobody = await home.burnish(STOP, { BURNISH_ENDPOINT_URL: 'http://127.0.0.1:1' });
    expect(nobody.stderr).toContain('Could not connect to the endpoint URL');
    expect(nobody.stderr).toContain('burnish serve');
    const { url } = await start(() => ({
      status: 400,
      body: '{"__type":"UnrecognizedClientException","message":"The security token is invalid."}',
    }));
    const unknown = await home.burnish(STOP, { BURNISH_ENDPOINT_URL: url });
    expect(unknown.stderr).toContain('AWS_SHARED_CREDENTIALS_FILE');
    const elsewhere = await home.burnish(STOP, { AWS_ENDPOINT_URL: url });
    expect(elsewhere.stderr).toMatch(/The security token is invalid\.\n$/);
  });

  it('because the connection is closed says so', async () => {
    const rude = await listen((socket) => socket.destroy());
    const { stderr, status } = await stopAt(rude);
    expect([status, stderr]).toEqual([
      255,
      `\nConnection was closed before we received a valid response from endpoint URL: "${rude}/".\n`,
    ]);
  });

  it('because the answer is no JSON says so', async () => {
    const { url } = await start(() => ({ body: 'hello' }));
    const { stderr, status } = await stopAt(url);
    expect(status).toBe(255);
    expect(stderr).toContain('it is not JSON');
  });
});

describe('a proxy', () => {
  it('is used for http as HTTP_PROXY says, but not for NO_PROXY or this machine', async () => {
    const proxy = await start(() => ({ body: '' }));
    const env = { HTTP_PROXY: proxy.url, http_proxy: proxy.url };
    expect((await stopAt('http://service.example', [], env)).status).toBe(0);
    expect(proxy.requests.map(({ url }) => url)).toEqual(['http://service.example/']);
    const direct = await start(() => ({ body: '' }));
    expect((await stopAt(direct.url, [], env)).status).toBe(0);
    expect(proxy.requests).toHaveLength(1);
    const excepted = { ...env, NO_PROXY: 'service.invalid', no_proxy: 'service.invalid' };
    expect((await stopAt('http://service.invalid', [], excepted)).stderr).toContain(
      'Could not connect to the endpoint URL',
    );
  });

  it('carries https as a tunnel', async () => {
    const target = await start(() => ({ body: '' }), { key: KEY, cert: CERTIFICATE });
    const connects: string[] = [];
    const proxy = await listen((socket) => {
      socket.once('data', (head) => {
        connects.push(String(head).split('\r\n')[0] ?? '');
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        const onward = createConnection(target.port, '127.0.0.1');
        socket.pipe(onward).pipe(socket);
        socket.on('error', () => onward.destroy());
        onward.on('error', () => socket.destroy());
      });
    });
    const env = { HTTPS_PROXY: proxy, https_proxy: proxy };
    const { status, stderr } = await stopAt('https://service.example', ['--no-verify-ssl'], env);
    expect([status, stderr]).toEqual([0, '']);
    expect(connects).toEqual(['CONNECT service.example:443 HTTP/1.1']);
    expect(target.requests).toHaveLength(1);
  });

  it('that can’t be reached is named, without its password', async () => {
    const env = {
      HTTP_PROXY: 'http://me:hidden@127.0.0.1:1',
      http_proxy: 'http://me:hidden@127.0.0.1:1',
    };
    const { status, stderr } = await stopAt('http://service.example', [], env);
    expect(status).toBe(255);
    expect(stderr).toContain('Failed to connect to proxy URL: "http://me:***@127.0.0.1:1/"');
  });
});

describe('Ctrl-C', () => {
  it('ends a request with status 130', async () => {
    let asked: () => void = () => {};
    const request = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const silent = await listen(() => asked());
    const child = spawn(process.execPath, [BURNISH, ...STOP, '--endpoint-url', silent], {
      env: home.environment(),
    });
    await request;
    child.kill('SIGINT');
    const [status] = await once(child, 'exit');
    expect(status).toBe(130);
  });
});

describe('a reader that goes away', () => {
  it('is no error', async () => {
    const tags = Array.from({ length: 20_000 }, (_, index) => ({
      Key: `key-${index}`,
      Value: 'v',
    }));
    const { url } = await start(() => ({ body: JSON.stringify({ Tags: tags }) }));
    const child = spawn(
      process.execPath,
      [BURNISH, 'list-tags', '--resource-arn', 'arn', '--endpoint-url', url],
      { env: home.environment(), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [status] = await once(child, 'exit');
    expect([status, stderr]).toEqual([0, '']);
  });
});

async function listen(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server whose queue of connections is full and that takes none: a new one hangs. */
async function fullServer(): Promise<string> {
  const child = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
      console.log(this.address().port);
    })`,
  ]);
  const [port] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const fillers = Array.from({ length: 8 }, () => {
    const socket = createConnection(Number(String(port)), '127.0.0.1');
    socket.on('error', () => {});
    return socket;
  });
  cleanups.push(() => {
    for (const socket of fillers) socket.destroy();
    child.kill('SIGKILL');
  });
  // Those that get a place have it; the others hang as the one under test will.
  await Promise.race(fillers.map((socket) => once(socket, 'connect')));
  await new Promise((resolve) => setTimeout(resolve, 200));
  return `http://127.0.0.1:${String(port).trim()}`;
}
