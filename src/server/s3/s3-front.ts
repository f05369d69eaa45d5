import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseQuery, splitTarget } from '../../identity/canonical-request.js';
import { keyPermission } from '../../identity/key-permission.js';
import { headersFromRaw } from '../../identity/signature-v4.js';
import type { ServedObjectStore } from '../../objects/served-object-store.js';
import type { Logger } from '../../telemetry/logger.js';
import type { AccessControl } from '../access-control.js';
import { readAddress } from './address.js';
import { BodySlots } from './body-slots.js';
import { findRoute } from './routes.js';
import { type S3Call, sendHead } from './s3-call.js';
import { asS3Error, S3Error } from './s3-error.js';
import { refuseUnsupportedHeaders } from './unsupported-headers.js';
import { renderXml } from './xml.js';

/** S3 lets a client's clock be a quarter of an hour off. */
const MAX_SKEW_SECONDS = 900;

/** Of a refused body, what is read and thrown away so that the client can take the answer. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/** Bodies taken in at once. Each has up to 2 MiB in memory; the others wait on their clients' side. */
const MAX_BODIES_AT_ONCE = 64;

/** What the front stands before. */
export interface S3FrontOptions {
  readonly store: ServedObjectStore;
  readonly access: AccessControl;
  readonly logger: Pick<Logger, 'error'>;
  /** The region that buckets are in, `us-east-1` if not given. */
  readonly region?: string;
  /** Host names that take a bucket in front, as in `bucket.localhost`; `localhost` if not given. */
  readonly virtualHosts?: readonly string[];
}

/** Answers one request, whatever becomes of it. */
export type S3Front = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<void>;

/**
 * Amazon S3's REST API over an object store: verifies each request's signature, and answers every
 * failure in S3's XML. A `checkContinue` listener may hand requests over as they are: the front
 * asks for a body when it has accepted its head.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
export function createS3Front(options: S3FrontOptions): S3Front {
  const bodySlots = new BodySlots(MAX_BODIES_AT_ONCE);
  return async (request, response, requestId) => {
    response.setHeader('x-amz-request-id', requestId);
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    try {
      const call = openCall(options, bodySlots, request, response, gone.signal);
      const { handle, permissions } = findRoute(call);
      await call.authorize(...permissions(call));
      await handle(call);
    } catch (error) {
      if (gone.signal.aborted || request.socket.destroyed) return;
      answerFailure(options, request, response, requestId, error);
    }
  };
}

function openCall(
  options: S3FrontOptions,
  bodySlots: BodySlots,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): S3Call {
  const method = request.method ?? '';
  const rawUrl = request.url ?? '/';
  const headers = headersFromRaw(request.rawHeaders);
  const verified = options.access.verify(
    { method, rawUrl, headers },
    {
      now: new Date(),
      service: 's3',
      maxSkewSeconds: MAX_SKEW_SECONDS,
    },
  );
  refuseUnsupportedHeaders(headers);
  const region = options.region ?? 'us-east-1';
  const query = parseQuery(splitTarget(rawUrl).query);
  return {
    store: options.store,
    region,
    method,
    ...readAddress(rawUrl, headers.get('host') ?? '', options.virtualHosts ?? ['localhost']),
    query: new Map(query.map(({ name, value }) => [name, value])),
    headers,
    verified,
    authorize: (...permissions) => options.access.authorize(verified, request, permissions),
    allows: (permission) => options.access.allows(verified, request, permission),
    keyAccess: {
      authorizeKey: (action, keyArn) => {
        const permission = keyPermission(action, keyArn, region);
        return options.access.authorize(verified, request, [permission]);
      },
    },
    request,
    response,
    bodySlots,
    signal,
  };
}

function answerFailure(
  options: S3FrontOptions,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  error: unknown,
): void {
  const known = asS3Error(error);
  if (known === undefined) options.logger.error({ err: error }, 'an S3 request failed');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const told =
    known ??
    new S3Error('InternalError', 500, 'We encountered an internal error. Please try again.');
  const path = splitTarget(request.url ?? '/').path;
  const body = Buffer.from(renderError(told, path, requestId));
  discardBody(request, response);
  sendHead(response, told.statusCode, {
    'content-type': 'application/xml',
    'content-length': body.byteLength,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** The body of an error response. */
function renderError(error: S3Error, resource: string, requestId: string): string {
  return renderXml('Error', [
    ['Code', error.code],
    ['Message', error.message],
    ['Resource', resource],
    ['RequestId', requestId],
  ]);
}

/** Takes what is still coming of a refused body, up to a point. */
function discardBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  if (request.headers.expect !== undefined && !request.readableDidRead) {
    // The client was never asked for the body: whether it comes is not known.
    response.setHeader('connection', 'close');
    return;
  }
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.byteLength;
    if (discarded > MAX_DISCARDED_BYTES) request.destroy();
  });
  request.resume();
}
