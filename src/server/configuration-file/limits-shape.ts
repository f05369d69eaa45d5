import { integer, optional, structure } from '../../service-model/shape.js';

const positive = (max: number) => integer({ min: 1, max });

export const LIMITS_SHAPE = structure('Limits', {
  maxConnections: optional(positive(100_000), 'Connections open at a time; 2,000 if not given.'),
  maxConnectionsPerAddress: optional(
    positive(100_000),
    'Connections that one address may have open; 1,000 if not given.',
  ),
  requestsPerSecond: optional(
    positive(1_000_000),
    'Requests a second of one access key; 2,000 if not given. More are answered with ThrottlingException, or SlowDown for S3.',
  ),
  burst: optional(
    positive(1_000_000),
    'Requests that an access key may send at once after a pause; 4,000 if not given.',
  ),
  maxHeaderBytes: optional(
    positive(1024 * 1024),
    'Bytes of the line and headers of a request; 32 KiB if not given.',
  ),
  maxRequestBytes: optional(
    positive(64 * 1024 * 1024),
    'Bytes of a request that is no object; 1 MiB if not given.',
  ),
  headerSeconds: optional(
    positive(3_600),
    'Seconds that a client may take to send the head of a request; 30 if not given.',
  ),
  bodySeconds: optional(
    positive(3_600),
    'Seconds that a client may take to send a request that is no object; 60 if not given.',
  ),
  idleSeconds: optional(
    positive(3_600),
    'Seconds that a connection may be silent between requests; 65 if not given.',
  ),
});
