import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessDeniedError } from '../../identity/access-denied-error.js';
import { AuthenticationError } from '../../identity/authentication-error.js';
import { headersFromRaw, type VerifiedRequest } from '../../identity/signature-v4.js';
import { OPERATION_HANDLERS, type OperationHandler } from '../../operations/dispatch.js';
import type { OperationContext } from '../../operations/operation-context.js';
import { ServiceError } from '../../service-model/errors.js';
import { SERVICE } from '../../service-model/operations.js';
import { type JsonValue, readValue } from '../../service-model/read-value.js';
import type { Infer, StructureShape } from '../../service-model/shape.js';
import { validateInput } from '../../service-model/validate-input.js';
import { writeValue } from '../../service-model/write-value.js';
import type { Logger } from '../../telemetry/logger.js';
import type { AccessControl } from '../access-control.js';
import { discardRest } from '../discard-rest.js';
import type { Limits } from '../limits.js';
import { RateExceededError } from '../rate-limiter.js';
import { readBody } from './read-body.js';

/** How far a client's clock may be off, as for AWS's own JSON services. */
const MAX_SKEW_SECONDS = 300;

const CONTENT_TYPE = `application/x-amz-json-${SERVICE.jsonVersion}`;

export interface AwsJsonOptions {
  readonly operations: OperationContext;
  readonly access: AccessControl;
  readonly limits: Limits;
  readonly logger: Logger;
}

/**
 * Answers one request in the AWS JSON 1.1 protocol: verifies its signature, finds the operation by
 * `X-Amz-Target`, reads and validates the input, and writes the output or the error.
 */
export async function handleAwsJson(
  options: AwsJsonOptions,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const target = String(request.headers['x-amz-target'] ?? '');
  const logger = options.logger.child({ target: target.slice(0, 128) });
  try {
    if (request.headers.expect !== undefined) response.writeContinue();
    const body = await readBody(request, options.limits);
    const verified = verify(options, request, body);
    const operation = OPERATION_HANDLERS.get(target);
    if (operation === undefined) {
      throw new ServiceError('UnknownOperationException', unknownTarget(target));
    }
    const input = readInput(operation, body);
    const permissions = operation.permissions(options.operations, input);
    await options.access.authorize(verified, request, permissions);
    const output = await call(operation, options.operations, input);
    send(response, 200, requestId, output);
    logger.debug('answered');
  } catch (error) {
    sendError(response, requestId, error, logger);
    if (!request.complete) discardRest(request);
  }
}

function verify(
  { access }: AwsJsonOptions,
  request: IncomingMessage,
  body: Buffer,
): VerifiedRequest {
  return access.verify(
    {
      method: request.method ?? '',
      rawUrl: request.url ?? '/',
      headers: headersFromRaw(request.rawHeaders),
      payloadHash: createHash('sha256').update(body).digest('hex'),
    },
    { now: new Date(), maxSkewSeconds: MAX_SKEW_SECONDS },
  );
}

function readInput(operation: OperationHandler, body: Buffer): Infer<StructureShape> {
  const input = readValue(operation.input, parseJson(body));
  validateInput(operation.input, input);
  return input;
}

async function call(
  operation: OperationHandler,
  context: OperationContext,
  input: Infer<StructureShape>,
): Promise<JsonValue | undefined> {
  const output = await operation.handle(context, input);
  return operation.output === undefined
    ? undefined
    : writeValue(operation.output, output as Infer<StructureShape>);
}

function parseJson(body: Buffer): JsonValue {
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as JsonValue;
  } catch (error) {
    throw new ServiceError('SerializationException', 'The request body is not valid JSON.', {
      cause: error,
    });
  }
}

const unknownTarget = (target: string) =>
  target === ''
    ? 'The request has no X-Amz-Target header.'
    : `The operation ${target.slice(0, 128)} is not known to this service.`;

function sendError(
  response: ServerResponse,
  requestId: string,
  error: unknown,
  logger: Logger,
): void {
  if (error instanceof ServiceError) {
    logger.info({ code: error.code, reason: error.message }, 'refused');
    send(response, error.httpStatus, requestId, error.toBody());
  } else if (error instanceof AccessDeniedError) {
    logger.info({ code: 'AccessDeniedException', reason: error.message }, 'refused');
    const denied = new ServiceError('AccessDeniedException', error.message);
    send(response, denied.httpStatus, requestId, denied.toBody());
  } else if (error instanceof RateExceededError) {
    const throttled = new ServiceError('ThrottlingException', error.message);
    send(response, throttled.httpStatus, requestId, throttled.toBody());
  } else if (error instanceof AuthenticationError) {
    logger.info({ code: error.code }, 'refused');
    const body = { __type: error.code, message: error.message };
    send(response, error.statusCode, requestId, body);
  } else if (response.destroyed) {
    logger.info({ err: error }, 'the client went away, or took too long');
  } else {
    logger.error({ err: error }, 'failed');
    const failure = new ServiceError(
      'InternalFailure',
      `The request failed because of an internal error. Request ID: ${requestId}`,
    );
    send(response, failure.httpStatus, requestId, failure.toBody());
  }
}

function send(
  response: ServerResponse,
  status: number,
  requestId: string,
  json: JsonValue | undefined,
): void {
  if (response.destroyed) return;
  const body = json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json));
  response.writeHead(status, {
    'Content-Type': CONTENT_TYPE,
    'Content-Length': body.length,
    'x-amzn-RequestId': requestId,
    ...(status === 413 ? { Connection: 'close' } : {}),
  });
  response.end(body);
}
