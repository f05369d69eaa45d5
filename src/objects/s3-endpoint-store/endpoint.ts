import type { S3Client } from '@aws-sdk/client-s3';
import { systemErrorCode } from '../durable-files.js';
import { noSuchBucket, noSuchKey, ObjectStoreError } from '../errors.js';
import { watchAttempts } from './transient-faults.js';

/** An S3 endpoint and how to speak to it. */
export interface S3EndpointConfig {
  /** URL of the endpoint; Amazon's own of the region if not given. */
  readonly endpoint?: string;
  readonly region: string;
  /** `http://host/bucket/key` instead of `http://bucket.host/key`. */
  readonly pathStyle: boolean;
  /** The AWS default chain (environment, shared files, instance role) if not given. */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When they have to be asked for again. */
  readonly expiration?: Date;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** A client with the SDK that made it: the SDK is loaded only when there is an endpoint. */
export interface Endpoint {
  readonly client: S3Client;
  readonly sdk: Sdk;
  /** What to call it in messages. */
  readonly name: string;
}

/** Attempts at one request, the SDK's own back-off between them. */
const MAX_ATTEMPTS = 5;
const CONNECTION_TIMEOUT_MILLISECONDS = 10_000;
/** An endpoint that sends nothing for this long is taken for dead. */
const SOCKET_TIMEOUT_MILLISECONDS = 120_000;

/** Connects to an S3 endpoint; nothing is sent yet. */
export async function openEndpoint(config: S3EndpointConfig): Promise<Endpoint> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    region: config.region,
    forcePathStyle: config.pathStyle,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MILLISECONDS,
      socketTimeout: SOCKET_TIMEOUT_MILLISECONDS,
    },
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
  });
  watchAttempts(client, isTransient);
  return { client, sdk, name: config.endpoint ?? `Amazon S3 in ${config.region}` };
}

/** Runs requests for an object or bucket, and words what goes wrong as an object store does. */
export async function asking<T>(
  endpoint: Endpoint,
  bucket: string,
  key: string,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw translate(endpoint, bucket, key, error);
  }
}

function translate(endpoint: Endpoint, bucket: string, key: string, error: unknown): unknown {
  if (error instanceof ObjectStoreError || isAbort(error)) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = statusOf(error);
  if (name === 'NoSuchBucket') return noSuchBucket(bucket);
  if (status === 404) return key === '' ? noSuchBucket(bucket) : noSuchKey(key);
  const object = JSON.stringify(key === '' ? bucket : `${bucket}/${key}`);
  const options = { cause: error };
  if (status === 412) {
    return new ObjectStoreError(
      'PreconditionFailed',
      `${object} changed while it was being read or written`,
      options,
    );
  }
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    return new ObjectStoreError(
      'AccessDenied',
      `${endpoint.name} refused access to ${object}: ${message || name}; check the configured credentials`,
      options,
    );
  }
  if (status !== undefined && status < 500) {
    return new ObjectStoreError(
      'InvalidRequest',
      `${endpoint.name} refused a request for ${object}: ${name}: ${message}`,
      options,
    );
  }
  return new ObjectStoreError(
    'StoreUnavailable',
    `${endpoint.name} could not serve ${object}: ${message || name}`,
    options,
  );
}

/** Whether the same request may well succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (isAbort(error) || error instanceof ObjectStoreError) return false;
  if (error instanceof Error && error.name === 'CredentialsProviderError') return false;
  // The file system of this machine is at fault, not the endpoint.
  if (['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].includes(systemErrorCode(error) ?? '')) return false;
  const status = statusOf(error);
  // A body cut short or damaged on the way has the status of the response that it came with.
  return status === undefined || status < 300 || status >= 500 || status === 429;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
  return httpStatusCode;
}
