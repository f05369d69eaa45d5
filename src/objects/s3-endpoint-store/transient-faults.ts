import { AsyncLocalStorage } from 'node:async_hooks';
import type { S3Client } from '@aws-sdk/client-s3';
import { systemErrorCode } from '../durable-files.js';
import type { FaultListener } from '../object-store.js';

/** Who hears of the faults of what is going on: requests are made deep below whoever wants to know. */
const listening = new AsyncLocalStorage<FaultListener>();

/** Tells a listener of every transient fault that requests of an action meet, also those that are tried
 * again without anybody noticing. */
export function hearingFaults<Result>(
  listener: FaultListener | undefined,
  act: () => Promise<Result>,
): Promise<Result> {
  return listener === undefined ? act() : listening.run(listener, act);
}

/** Tells whoever listens of a fault, by the name that the endpoint or the network gives it. */
export function tellFault(error: unknown): void {
  const listener = listening.getStore();
  if (listener === undefined) return;
  listener(systemErrorCode(error) ?? (error instanceof Error ? error.name : 'unknown'));
}

/** Makes every attempt of a client at a request tell of its fault. */
export function watchAttempts(client: S3Client, isTransient: (error: unknown) => boolean): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (isTransient(error)) tellFault(error);
        throw error;
      }
    },
    // Behind the retries, which are in the same step with high priority: once for each attempt.
    { step: 'finalizeRequest', name: 'burnishFaults', priority: 'low' },
  );
}
