import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** Chances, from 0 to 1, that a request meets each fault; at most one of them. */
export interface Faults {
  /** Answered with 503 SlowDown, the request not passed on. */
  readonly throttled: number;
  /** Answered with 500 InternalError, the request not passed on. */
  readonly failed: number;
  /** The connection is cut before an answer. */
  readonly dropped: number;
  /** The answer's body is cut in the middle. */
  readonly truncated: number;
  /** Answered late by this many milliseconds. */
  readonly delayed: number;
  readonly delayMs: number;
}

export interface FaultyProxy {
  readonly url: string;
  /** Faults so far, by kind. */
  readonly counts: Readonly<Record<string, number>>;
  close(): void;
}

/** So often in a row the same is met by a fault at most: whoever tries again once more gets through. */
const IN_A_ROW = 3;

/** An HTTP proxy before an object store that fails, delays, truncates and throttles on purpose. */
export async function startFaultyProxy(upstream: string, faults: Faults): Promise<FaultyProxy> {
  const counts: Record<string, number> = {};
  const inARow = new Map<string, number>();
  const server = createServer((incoming, answer) => {
    const asked = `${incoming.method} ${incoming.url}`;
    const before = inARow.get(asked) ?? 0;
    const kind = before < IN_A_ROW ? drawFault(faults) : undefined;
    inARow.set(asked, kind === undefined ? 0 : before + 1);
    if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
    serve(upstream, incoming, answer, kind, faults.delayMs);
  });
  return { url: await listen(server), counts, close: () => server.close() };
}

type FaultKind = 'throttled' | 'failed' | 'dropped' | 'truncated' | 'delayed';

const KINDS: readonly FaultKind[] = ['throttled', 'failed', 'dropped', 'truncated', 'delayed'];

function drawFault(faults: Faults): FaultKind | undefined {
  let drawn = Math.random();
  for (const kind of KINDS) {
    if (drawn < faults[kind]) return kind;
    drawn -= faults[kind];
  }
  return undefined;
}

function serve(
  upstream: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  kind: FaultKind | undefined,
  delayMs: number,
): void {
  switch (kind) {
    case 'throttled':
      refuse(incoming, answer, 503, 'SlowDown');
      return;
    case 'failed':
      refuse(incoming, answer, 500, 'InternalError');
      return;
    case 'dropped':
      incoming.socket.destroy();
      return;
    case 'delayed':
      setTimeout(() => forward(upstream, incoming, answer, false), delayMs);
      return;
    default:
      forward(upstream, incoming, answer, kind === 'truncated');
  }
}

function refuse(
  incoming: IncomingMessage,
  answer: ServerResponse,
  status: number,
  code: string,
): void {
  incoming.resume();
  incoming.once('end', () => {
    answer.writeHead(status, { 'Content-Type': 'application/xml' });
    answer.end(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>on purpose</Message></Error>`,
    );
  });
}

function forward(
  upstream: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  truncate: boolean,
): void {
  const { hostname, port } = new URL(upstream);
  const outgoing = request(
    {
      hostname,
      port,
      method: incoming.method,
      path: incoming.url,
      // As received, and the Host too: it is part of what was signed.
      headers: incoming.headers,
    },
    (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      if (!truncate) {
        response.pipe(answer);
        return;
      }
      response.once('data', (chunk: Buffer) => {
        answer.write(chunk.subarray(0, chunk.length / 2), () => answer.destroy());
        response.destroy();
      });
      response.once('end', () => answer.end());
    },
  );
  outgoing.once('error', () => answer.destroy());
  incoming.pipe(outgoing);
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}
