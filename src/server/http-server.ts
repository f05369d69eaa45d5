import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import { onBehalfOf } from '../telemetry/request-scope.js';
import { limitConnectionsPerAddress } from './connection-limit.js';
import type { Limits } from './limits.js';
import { isStsRequest, signedService } from './request-kind.js';

/** A large object over a slow line takes long; the body's own pace is watched by the handlers. */
const NO_REQUEST_TIMEOUT = 0;
/** How often connections are looked at for heads that don't come, in milliseconds. */
const CHECKING_INTERVAL_MS = 5_000;

export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<void>;

export interface Routes {
  /** Requests with an `X-Amz-Target` header, and everything signed for a service other than S3. */
  readonly awsJson: RequestHandler;
  readonly s3: RequestHandler;
  /** The Security Token Service, in its query protocol. */
  readonly sts: RequestHandler;
  /** Exact paths that need no signature, for example `/healthz`. */
  readonly open: Readonly<Record<string, RequestHandler>>;
}

export interface HttpServerOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: Limits;
  /** PEM texts; plain HTTP if not given. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/** The one port: every protocol that the service speaks, told apart by the request's head. */
export function createHttpServer(
  routes: Routes,
  { logger, metrics, limits, tls }: HttpServerOptions,
): Server {
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const requestId = randomUUID();
    const began = performance.now();
    const handler = route(routes, request);
    response.once('close', () => {
      const protocol = handler === routes.s3 ? 's3' : 'json';
      metrics.requestAnswered(protocol, response.statusCode, (performance.now() - began) / 1000);
    });
    onBehalfOf(requestId, () =>
      handler(request, response, requestId).catch((error: unknown) => {
        logger.error({ err: error }, 'a request was not answered');
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      }),
    );
  };
  const options = {
    headersTimeout: limits.headerSeconds * 1000,
    requestTimeout: NO_REQUEST_TIMEOUT,
    keepAliveTimeout: limits.idleSeconds * 1000,
    connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    maxHeaderSize: limits.maxHeaderBytes,
  };
  const server =
    tls === undefined
      ? createServer(options, handle)
      : createTlsServer(
          {
            ...options,
            ...tls,
            minVersion: 'TLSv1.2',
            handshakeTimeout: limits.headerSeconds * 1000,
          },
          handle,
        );
  server.maxConnections = limits.maxConnections;
  limitConnectionsPerAddress(server, limits.maxConnectionsPerAddress);
  // A handler asks for the body when it has accepted the head.
  server.on('checkContinue', handle);
  return server;
}

function route(routes: Routes, request: IncomingMessage): RequestHandler {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const open = request.method === 'GET' ? routes.open[path] : undefined;
  if (open !== undefined && request.headers.authorization === undefined) return open;
  if (isStsRequest(request)) return routes.sts;
  return isAwsJson(request) ? routes.awsJson : routes.s3;
}

function isAwsJson(request: IncomingMessage): boolean {
  if (request.headers['x-amz-target'] !== undefined) return true;
  const service = signedService(request);
  if (service !== undefined) return service !== 's3';
  // S3 has no POST at the root: that is a JSON client without a signature or a target.
  return request.method === 'POST' && (request.url === '/' || request.url === '');
}
