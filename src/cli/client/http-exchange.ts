import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { InterruptedError } from '../output/errors.js';
import type { ConnectionAgent } from './connection-agent.js';
import { ConnectionError } from './errors.js';

/** No answer of the service is near this size; a wrong endpoint could send without end. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Exchange {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connection: ConnectionAgent;
  /** Both in milliseconds; 0 waits for ever. */
  readonly timeouts: { readonly connect: number; readonly read: number };
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends one request and reads the answer to its end, whatever its status.
 *
 * @throws ConnectionError where there is no whole answer, InterruptedError where the signal fires.
 */
export function exchange(options: Exchange): Promise<HttpAnswer> {
  const { url, headers, body, connection, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new InterruptedError());
      return;
    }
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const { agent, trust } = connection;
    const request = start(url, { method: 'POST', headers, agent, ...trust });
    const fail = (error: Error) => {
      request.destroy();
      reject(error);
    };
    const interrupt = () => fail(new InterruptedError());
    signal?.addEventListener('abort', interrupt, { once: true });
    const stopWatching = watchTimes(request, options, fail);
    const settle = (finish: () => void) => {
      signal?.removeEventListener('abort', interrupt);
      stopWatching();
      finish();
    };
    const isReused = () => request.reusedSocket;
    request.on('error', (error) =>
      settle(() => reject(connectionError(error, options, isReused()))),
    );
    request.on('response', (response) => {
      readAnswer(response, url).then(
        (answer) => settle(() => resolve(answer)),
        (error: Error) => settle(() => fail(connectionError(error, options, false))),
      );
    });
    request.end(body);
  });
}

/** Watches the time to connect, and then every silence. */
function watchTimes(
  request: ClientRequest,
  { url, timeouts }: Exchange,
  fail: (error: Error) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const endpoint = url.href;
  const connected = () => {
    clearTimeout(timer);
    if (timeouts.read > 0) {
      request.setTimeout(timeouts.read, () => fail(new ConnectionError('read-timeout', endpoint)));
    }
  };
  if (timeouts.connect > 0) {
    timer = setTimeout(
      () => fail(new ConnectionError('connect-timeout', endpoint)),
      timeouts.connect,
    );
  }
  request.on('socket', (socket: Socket) => {
    if (socket.connecting) socket.once('connect', connected);
    else connected();
  });
  return () => clearTimeout(timer);
}

async function readAnswer(response: IncomingMessage, url: URL): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_RESPONSE_BYTES) {
      throw new ConnectionError(
        'unreadable',
        url.href,
        `it is longer than ${MAX_RESPONSE_BYTES} bytes`,
      );
    }
    chunks.push(bytes);
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** What Node says when a connection could not be made at all. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
]);

/** How Node's and OpenSSL's names for a certificate that is not trusted begin. */
const TLS_CODE =
  /^(?:ERR_(?:TLS|SSL)_|CERT_|CRL_|DEPTH_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_|INVALID_CA)/;

function connectionError(error: Error, { url, connection }: Exchange, isReused: boolean): Error {
  if (error instanceof ConnectionError || error instanceof InterruptedError) return error;
  const code = 'code' in error ? String(error.code) : '';
  const cause = { cause: error };
  if (TLS_CODE.test(code) || code === 'EPROTO') {
    return new ConnectionError('tls', url.href, `${error.message} (${code})`, cause);
  }
  const { proxyUrl } = connection;
  if (UNREACHABLE.has(code) && !isReused) {
    return proxyUrl === undefined
      ? new ConnectionError('unreachable', url.href, '', cause)
      : new ConnectionError('proxy', withoutPassword(proxyUrl), '', cause);
  }
  return new ConnectionError('closed', url.href, '', cause);
}

function withoutPassword(proxyUrl: string): string {
  const url = new URL(proxyUrl);
  if (url.password !== '') url.password = '***';
  return url.href;
}
