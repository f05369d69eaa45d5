import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Permission } from '../../identity/authorizer.js';
import type { VerifiedRequest } from '../../identity/signature-v4.js';
import type { KeyAccess } from '../../objects/encrypted-files/object-keys.js';
import type { ServedObjectStore } from '../../objects/served-object-store.js';
import type { BodySlots } from './body-slots.js';
import { renderXml, S3_NAMESPACE, type XmlNode } from './xml.js';

/** One S3 request, verified and addressed. */
export interface S3Call {
  readonly store: ServedObjectStore;
  readonly region: string;
  readonly method: string;
  /** Empty for requests to the service itself. */
  readonly bucket: string;
  /** Empty for requests to a bucket. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
  readonly verified: VerifiedRequest;
  /** @throws AccessDeniedError for the first permission that the caller lacks */
  readonly authorize: (...permissions: readonly Permission[]) => Promise<void>;
  readonly allows: (permission: Permission) => Promise<boolean>;
  /** What the caller may do with keys. */
  readonly keyAccess: KeyAccess;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Bounds how many bodies are taken in at once. */
  readonly bodySlots: BodySlots;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Carries out one operation, and answers it unless it throws. */
export type S3Handler = (call: S3Call) => Promise<void>;

/** Headers of an answer by name; those without a value are left out. */
export type HeaderValues = Readonly<Record<string, string | number | undefined>>;

/** Sends a response whose body is an XML document in S3's namespace. */
export function sendXml(
  call: S3Call,
  root: string,
  content: string | readonly XmlNode[],
  headers: HeaderValues = {},
): void {
  const body = Buffer.from(renderXml(root, content, S3_NAMESPACE));
  sendHead(call.response, 200, {
    'content-type': 'application/xml',
    'content-length': body.byteLength,
    ...headers,
  });
  call.response.end(body);
}

/** Sends a response without a body. */
export function sendEmpty(call: S3Call, statusCode: number, headers: HeaderValues = {}): void {
  sendHead(call.response, statusCode, headers);
  call.response.end();
}

/** Sends the head of a response, leaving out headers without a value. */
export function sendHead(
  response: ServerResponse,
  statusCode: number,
  headers: HeaderValues,
): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  response.writeHead(statusCode);
}

/** An ETag as headers and documents have it. */
export function quoted(etag: string): string {
  return `"${etag}"`;
}
