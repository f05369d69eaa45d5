import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { LogEvent } from './log-batches.js';

/** Where events of logs are put. */
export interface LogSink {
  /**
   * Puts events behind those that are there, making the stream where it is missing.
   * @returns events that were refused for good, since they are too old or too new
   * @throws an error of the endpoint; nothing was put then, or it may be put again
   */
  put(stream: string, events: readonly LogEvent[], signal: AbortSignal): Promise<number>;
  close(): void;
}

/** Where and how CloudWatch is spoken to. */
export interface CloudWatchEndpoint {
  readonly region: string;
  /** Amazon's own of the region if not given. */
  readonly endpoint?: string | undefined;
}

/** Attempts at one request, with the SDK's own back-off between them. */
const MAX_ATTEMPTS = 4;
const TIMEOUTS = { connectionTimeout: 10_000, socketTimeout: 30_000 };

/** The settings of an SDK client; credentials come from the AWS default chain. */
export const clientSettings = ({ region, endpoint }: CloudWatchEndpoint) => ({
  region,
  maxAttempts: MAX_ATTEMPTS,
  requestHandler: TIMEOUTS,
  ...(endpoint === undefined ? {} : { endpoint }),
});

/** Puts logs to Amazon CloudWatch Logs, or what speaks like it. The SDK is loaded only here. */
export async function openCloudWatchLogs(
  settings: CloudWatchEndpoint,
  logGroupName: string,
): Promise<LogSink> {
  const sdk = await import('@aws-sdk/client-cloudwatch-logs');
  const client: CloudWatchLogsClient = new sdk.CloudWatchLogsClient(clientSettings(settings));

  /** Makes the group and the stream; what is there already is no error. */
  async function makeStream(logStreamName: string, abortSignal: AbortSignal): Promise<void> {
    const options = { abortSignal };
    const unlessThere = (error: unknown) => {
      if (!(error instanceof sdk.ResourceAlreadyExistsException)) throw error;
    };
    const stream = () =>
      client.send(new sdk.CreateLogStreamCommand({ logGroupName, logStreamName }), options);
    await stream().catch(async (error: unknown) => {
      if (!(error instanceof sdk.ResourceNotFoundException)) return unlessThere(error);
      await client
        .send(new sdk.CreateLogGroupCommand({ logGroupName }), options)
        .catch(unlessThere);
      await stream().catch(unlessThere);
    });
  }

  return {
    async put(logStreamName, events, abortSignal) {
      const command = () =>
        client.send(
          new sdk.PutLogEventsCommand({ logGroupName, logStreamName, logEvents: [...events] }),
          { abortSignal },
        );
      const answer = await command().catch(async (error: unknown) => {
        if (!(error instanceof sdk.ResourceNotFoundException)) throw error;
        await makeStream(logStreamName, abortSignal);
        return command();
      });
      return refused(answer.rejectedLogEventsInfo, events.length);
    },
    close: () => client.destroy(),
  };
}

interface Rejected {
  readonly tooNewLogEventStartIndex?: number | undefined;
  readonly tooOldLogEventEndIndex?: number | undefined;
  readonly expiredLogEventEndIndex?: number | undefined;
}

/** Events are in the order of time: those before an index are too old, those from one on too new. */
function refused(rejected: Rejected | undefined, count: number): number {
  if (rejected === undefined) return 0;
  const { tooNewLogEventStartIndex = count } = rejected;
  const old = Math.max(rejected.tooOldLogEventEndIndex ?? 0, rejected.expiredLogEventEndIndex ?? 0);
  return Math.min(count, old + Math.max(0, count - tooNewLogEventStartIndex));
}
