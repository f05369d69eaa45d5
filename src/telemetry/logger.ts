import { type DestinationStream, type Logger, pino } from 'pino';
import { redactSecrets } from './redact-secrets.js';
import { currentRequestId } from './request-scope.js';

export type { Logger } from 'pino';

/**
 * The service's own log: one JSON object a line on stderr, since stdout is for the ready line. A line
 * that is logged on behalf of a request has its `requestId`, and no line has a secret.
 *
 * @param destination where lines go; stderr if not given
 */
export function createLogger(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin() {
        const requestId = currentRequestId();
        return requestId === undefined ? {} : { requestId };
      },
    },
    { write: (line) => destination.write(redactSecrets(line)) },
  );
}
