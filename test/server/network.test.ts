import { readFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListOptimizationJobsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServiceConfiguration } from '#burnish/server/configuration.js';
import { isLoopback, warnOfExposure } from '#burnish/server/exposure.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const fixture = (name: string) => fileURLToPath(new URL(`./tls/${name}`, import.meta.url));
const TLS = { certFile: fixture('cert.pem'), keyFile: fixture('key.pem') };

let service: RunningService | undefined;

afterEach(async () => {
  await service?.close();
  service = undefined;
});

async function start(change: Partial<ServiceConfiguration>): Promise<RunningService> {
  service = await startTestService(change);
  return service;
}

/** What the service sends on a connection of its own until it closes it. */
function exchange(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket: Socket = connect(Number(port), hostname, () => socket.write(text));
    const pieces: Buffer[] = [];
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') reject(error);
    });
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
  });
}

describe('TLS', () => {
  it('is what the service speaks with a certificate', async () => {
    const { url } = await start({ tls: TLS });
    expect(url).toMatch(/^https:/);
    const agent = new Agent({ ca: await readFile(TLS.certFile), keepAlive: false });
    const status = await new Promise((resolve, reject) => {
      httpsRequest(`${url}/healthz`, { agent }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    // The certificate is nobody's whom the client trusts unless it is told.
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    // Nor is there anything in clear.
    expect(await exchange(url, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).not.toContain('200');
  });

  it('says which file it lacks', async () => {
    await expect(
      startTestService({ tls: { ...TLS, keyFile: '/nowhere/key.pem' } }),
    ).rejects.toThrow(/^--tls-key: ENOENT.*\/nowhere\/key\.pem/);
  });
});

describe('listening wider than this machine', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.0.2.1', false],
    ['models.example.com', false],
  ])('%s is loopback: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  it('is warned of without TLS, and with unsigned requests', () => {
    const warnings = (host: string, allowUnsigned: boolean, tls?: typeof TLS) => {
      const said: string[] = [];
      warnOfExposure(
        { host, tls, allowUnsigned },
        { warn: (_fields: unknown, text?: string) => void said.push(text ?? '') },
      );
      return said;
    };
    expect(warnings('127.0.0.1', true)).toEqual([]);
    expect(warnings('0.0.0.0', false, TLS)).toEqual([]);
    expect(warnings('0.0.0.0', false)).toEqual([expect.stringContaining('without TLS')]);
    expect(warnings('0.0.0.0', true, TLS)).toEqual([expect.stringContaining('unsigned requests')]);
  });
});

describe('unsigned requests', () => {
  const target = { 'x-amz-target': 'SageMaker.ListOptimizationJobs' };

  it('are refused', async () => {
    const { url } = await start({});
    const json = await fetch(url, { method: 'POST', headers: target, body: '{}' });
    expect(await json.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
    expect((await fetch(`${url}/bucket`)).status).toBe(403);
  });

  it("are the administrator's where the service was started to allow them", async () => {
    const { url } = await start({ allowUnsigned: true });
    const json = await fetch(url, { method: 'POST', headers: target, body: '{}' });
    expect(await json.json()).toEqual({ OptimizationJobSummaries: [] });
    expect((await fetch(`${url}/bucket`, { method: 'PUT' })).status).toBe(200);
    expect((await fetch(`${url}/bucket/key`, { method: 'PUT', body: 'bytes' })).status).toBe(200);
    expect(await (await fetch(`${url}/bucket/key`)).text()).toBe('bytes');
    // A signature that is there must hold nevertheless.
    const credentials = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' };
    const stranger = new SageMakerClient({ endpoint: url, region: 'us-east-1', credentials });
    await expect(stranger.send(new ListOptimizationJobsCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    stranger.destroy();
  });
});

describe('limits', () => {
  it('slow down a key that asks too often, in the words of each protocol', async () => {
    const { url, credentials, sagemaker } = await start({
      file: { limits: { requestsPerSecond: 1, burst: 2 } },
    });
    const s3 = new S3Client({
      ...{ endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1, forcePathStyle: true },
    });
    const list = () => sagemaker.send(new ListOptimizationJobsCommand({}));
    const answers = await Promise.allSettled([list(), list(), list(), list(), list()]);
    const refused = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refused.length).toBeGreaterThanOrEqual(1);
    expect(refused[0]).toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
    const burst = Array.from({ length: 6 }, () => s3.send(new ListBucketsCommand({})));
    const slowed = (await Promise.allSettled(burst)).find(({ status }) => status === 'rejected');
    expect(slowed).toMatchObject({
      reason: {
        name: 'SlowDown',
        message: 'Please reduce your request rate.',
        $metadata: { httpStatusCode: 503 },
      },
    });
    s3.destroy();
  });

  it('bound the size of requests and of their heads, but not of objects', async () => {
    const running = await start({
      allowUnsigned: true,
      file: { limits: { maxRequestBytes: 1_000, maxHeaderBytes: 4_096 } },
    });
    const body = JSON.stringify({ NameContains: 'x'.repeat(2_000) });
    const headers = { 'x-amz-target': 'SageMaker.ListOptimizationJobs' };
    const large = await fetch(running.url, { method: 'POST', headers, body });
    expect(large.status).toBe(413);
    expect((await fetch(running.url, { headers: { 'x-long': 'x'.repeat(5_000) } })).status).toBe(
      431,
    );
    await fetch(`${running.url}/bucket`, { method: 'PUT' });
    await expect(
      running.s3.send(
        new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: Buffer.alloc(100_000) }),
      ),
    ).resolves.toBeTruthy();
  });

  it('end connections of one address that are too many', async () => {
    const { url } = await start({ file: { limits: { maxConnectionsPerAddress: 2 } } });
    const { hostname, port } = new URL(url);
    const opened = await Promise.all(
      [1, 2].map(
        () =>
          new Promise<Socket>((resolve) => {
            const socket = connect(Number(port), hostname, () => resolve(socket));
          }),
      ),
    );
    // A connection that is open is answered; one more is closed without a word.
    const answered = new Promise((resolve) => opened[1]?.once('data', resolve));
    opened[1]?.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String(await answered)).toContain('200 OK');
    expect(await exchange(url, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
    for (const socket of opened) socket.destroy();
  });

  it('end a request whose head or body never comes', async () => {
    const { url } = await start({ file: { limits: { headerSeconds: 1, bodySeconds: 1 } } });
    const head = await exchange(url, 'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Sage');
    expect(head).toMatch(/^HTTP\/1\.1 408 |^$/);
    const body = await exchange(
      url,
      'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.X\r\nContent-Length: 100\r\n\r\n{"a":',
    );
    expect(body).not.toContain('200');
  });
});
