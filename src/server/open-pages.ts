import type { ServerResponse } from 'node:http';
import type { JobStore } from '../store/job-store.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { RequestHandler } from './http-server.js';

/**
 * The pages that need no signature, for whoever watches over the service: `/healthz` (the process
 * answers), `/readyz` (it can read its record of jobs, and is not going down) and `/metrics` (Prometheus' text format).
 */
export function openPages(
  metrics: Metrics,
  store: JobStore,
  isOpen: () => boolean,
): Readonly<Record<string, RequestHandler>> {
  return {
    '/healthz': async (_request, response) => answer(response, 200, 'ok\n'),
    '/readyz': async (_request, response) => {
      const ready = await store.countInState('STARTING').then(
        () => true,
        () => false,
      );
      const obstacle = !ready
        ? 'the record of jobs can’t be read'
        : isOpen()
          ? undefined
          : 'going down';
      answer(response, obstacle === undefined ? 200 : 503, `${obstacle ?? 'ready'}\n`);
    },
    '/metrics': async (_request, response) => {
      const { contentType, body } = await metrics.render();
      answer(response, 200, body, contentType);
    },
  };
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'Content-Type': contentType }).end(body);
}
