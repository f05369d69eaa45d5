import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** The service's own log: one JSON object a line on stderr, since stdout is for the ready line. */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
