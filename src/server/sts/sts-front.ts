import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseQuery, splitTarget } from '../../identity/canonical-request.js';
import { headersFromRaw } from '../../identity/signature-v4.js';
import type { Logger } from '../../telemetry/logger.js';
import type { AccessControl } from '../access-control.js';
import { readBody } from '../aws-json/read-body.js';
import { discardRest } from '../discard-rest.js';
import type { RequestHandler } from '../http-server.js';
import type { Limits } from '../limits.js';
import { renderXml, type XmlNode } from '../s3/xml.js';
import { assumeRole, type StsCall, type StsContext } from './assume-role.js';
import { asStsError, StsError } from './sts-error.js';

const VERSION = '2011-06-15';
const NAMESPACE = `https://sts.amazonaws.com/doc/${VERSION}/`;
const MAX_SKEW_SECONDS = 300;

export interface StsFrontOptions extends StsContext {
  readonly access: AccessControl;
  readonly limits: Limits;
  readonly logger: Pick<Logger, 'error'>;
}

type StsOperation = (context: StsContext, call: StsCall) => Promise<readonly XmlNode[]>;

/** Operations by their Action. Every caller may ask who it is. */
const OPERATIONS: Readonly<Record<string, StsOperation>> = {
  AssumeRole: assumeRole,
  GetCallerIdentity: async (_context, { principal }) => [
    ['Arn', principal.arn],
    ['UserId', principal.userId],
    ['Account', principal.accountId],
  ],
};

/**
 * AWS Security Token Service in its query protocol: parameters as a form, answers in XML.
 * https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
 */
export function createStsFront(options: StsFrontOptions): RequestHandler {
  return async (request, response, requestId) => {
    try {
      if (request.headers.expect !== undefined) response.writeContinue();
      const call = await openCall(options, request);
      const action = call.parameters.get('Action') ?? '';
      const operation = Object.hasOwn(OPERATIONS, action) ? OPERATIONS[action] : undefined;
      if (operation === undefined) throw unknownAction(action);
      const result = await operation(options, call);
      send(response, 200, requestId, `${action}Response`, [
        [`${action}Result`, result],
        ['ResponseMetadata', [['RequestId', requestId]]],
      ]);
    } catch (error) {
      const known = asStsError(error);
      if (known === undefined) options.logger.error({ err: error }, 'STS failed');
      sendError(
        response,
        requestId,
        known ??
          new StsError('InternalFailure', 'The request failed because of an internal error.', 500),
      );
      if (!request.complete) discardRest(request);
    }
  };
}

async function openCall(
  { access, limits }: StsFrontOptions,
  request: IncomingMessage,
): Promise<StsCall> {
  const body = await readBody(request, limits);
  const rawUrl = request.url ?? '/';
  const verified = access.verify(
    {
      method: request.method ?? '',
      rawUrl,
      headers: headersFromRaw(request.rawHeaders),
      payloadHash: createHash('sha256').update(body).digest('hex'),
    },
    { now: new Date(), service: 'sts', maxSkewSeconds: MAX_SKEW_SECONDS },
  );
  const form = [splitTarget(rawUrl).query, body.toString('latin1')].join('&');
  return {
    principal: verified.principal,
    facts: access.factsOf(verified, request),
    parameters: new Map(parseQuery(form).map(({ name, value }) => [name, value])),
  };
}

const unknownAction = (action: string) =>
  new StsError(
    'InvalidAction',
    action === ''
      ? `The request has no Action. This service has ${Object.keys(OPERATIONS).join(' and ')}.`
      : `Could not find operation ${action.slice(0, 64)} for version ${VERSION}; this service has ${Object.keys(OPERATIONS).join(' and ')}.`,
  );

function sendError(response: ServerResponse, requestId: string, error: StsError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  send(response, error.statusCode, requestId, 'ErrorResponse', [
    [
      'Error',
      [
        ['Type', error.statusCode < 500 ? 'Sender' : 'Receiver'],
        ['Code', error.code],
        ['Message', error.message],
      ],
    ],
    ['RequestId', requestId],
  ]);
}

function send(
  response: ServerResponse,
  status: number,
  requestId: string,
  root: string,
  content: readonly XmlNode[],
): void {
  const body = Buffer.from(renderXml(root, content, NAMESPACE));
  response.writeHead(status, {
    'Content-Type': 'text/xml',
    'Content-Length': body.length,
    'x-amzn-RequestId': requestId,
  });
  response.end(body);
}
