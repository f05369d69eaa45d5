import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface SeenRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly target: string;
  readonly body: string;
}

export interface MockAnswer {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface MockService {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

/** A service that answers as it is told and keeps what it was asked. */
export async function startMockService(
  answer: (request: SeenRequest, count: number) => MockAnswer,
  tls?: { readonly key: string; readonly cert: string },
): Promise<MockService> {
  const requests: SeenRequest[] = [];
  const listener: RequestListener = async (request, response) => {
    const seen = {
      url: request.url ?? '',
      headers: request.headers,
      target: String(request.headers['x-amz-target']),
      body: await text(request),
    };
    requests.push(seen);
    const { status = 200, body = '{}', headers = {} } = answer(seen, requests.length);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', ...headers });
    response.end(body);
  };
  const server: Server =
    tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
