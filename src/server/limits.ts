/** What the service takes from the network at most; `limits` in the configuration file changes them. */
export interface Limits {
  /** Connections open at a time, and of one address. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Requests a second of one access key, and how many it may send at once after a pause. */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Bytes of a request's line and headers. */
  readonly maxHeaderBytes: number;
  /** Bytes of a request of the JSON protocols and STS; bodies of objects have S3's own limits. */
  readonly maxRequestBytes: number;
  /** How long a client may take for the head of a request, in seconds. */
  readonly headerSeconds: number;
  /** How long a client may take for the body of a JSON request, in seconds. */
  readonly bodySeconds: number;
  /** How long a connection may be silent between requests, in seconds. */
  readonly idleSeconds: number;
}

const DEFAULT_LIMITS: Limits = {
  maxConnections: 2_000,
  maxConnectionsPerAddress: 1_000,
  requestsPerSecond: 2_000,
  burst: 4_000,
  maxHeaderBytes: 32 * 1024,
  // The largest that the API's own limits allow is about a quarter of it.
  maxRequestBytes: 1024 * 1024,
  headerSeconds: 30,
  bodySeconds: 60,
  idleSeconds: 65,
};

/** The limits, with what the configuration file says in the place of the defaults. */
export function limitsFrom(
  given: { readonly [Name in keyof Limits]?: number | undefined } = {},
): Limits {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...DEFAULT_LIMITS, ...(Object.fromEntries(set) as Partial<Limits>) };
}
