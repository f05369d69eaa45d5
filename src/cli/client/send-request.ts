import { SERVICE } from '../../service-model/operations.js';
import type { JsonValue } from '../../service-model/read-value.js';
import type { Settings } from '../configuration/settings.js';
import type { WireValue } from '../output/wire-value.js';
import type { Client, SendOptions } from './client.js';
import { type ConnectionAgent, connectionAgent } from './connection-agent.js';
import { type DebugLog, debugLog, printableHeaders } from './debug-log.js';
import { ConnectionError, ServiceResponseError } from './errors.js';
import { exchange, type HttpAnswer } from './http-exchange.js';
import { isError, parseAnswer, serviceError } from './parse-answer.js';
import { backOff, isTransient, isWorthRetrying } from './retry.js';

/** The name that requests are signed for, where it is not the service's own. */
const SIGNING_NAMES: Readonly<Record<string, string>> = { Logs_20140328: 'logs' };

const NOBODY_SERVES =
  '\nNo service runs here. Start one with "burnish serve", or name another with --endpoint-url.';

const UNKNOWN_KEY =
  'The local service does not know this access key. Its own is used where none is configured; otherwise name the credentials file in its data folder in AWS_SHARED_CREDENTIALS_FILE.';

export type ClientSettings = Pick<
  Settings,
  | 'caBundle'
  | 'connectTimeout'
  | 'credentials'
  | 'debug'
  | 'endpointIsDefault'
  | 'endpointUrl'
  | 'maxAttempts'
  | 'profile'
  | 'readTimeout'
  | 'region'
  | 'signRequest'
  | 'verifySsl'
>;

/**
 * Makes a client from the settings. Nothing is sent, and no credentials are looked for, before the
 * first `send`.
 *
 * @throws ConnectionError where the certificate bundle can't be read.
 */
export async function createClient(settings: ClientSettings): Promise<Client> {
  const connection = await connectionAgent(settings);
  const log = settings.debug ? debugLog() : undefined;
  log?.(
    `Profile ${settings.profile}, region ${settings.region}, endpoint ${settings.endpointUrl}` +
      `${settings.endpointIsDefault ? ' (the local service, as none is configured)' : ''}`,
  );
  const sender = new Sender(settings, connection, log);
  return {
    send: (target, input, options) => sender.send(target, input, options),
    close: () => connection.agent.destroy(),
  };
}

class Sender {
  readonly #url: URL;

  constructor(
    private readonly settings: ClientSettings,
    private readonly connection: ConnectionAgent,
    private readonly log: DebugLog | undefined,
  ) {
    this.#url = new URL(settings.endpointUrl);
  }

  async send(target: string, input: JsonValue, { signal }: SendOptions = {}): Promise<WireValue> {
    const fullTarget = target.includes('.') ? target : `${SERVICE.targetPrefix}.${target}`;
    const operation = fullTarget.slice(fullTarget.indexOf('.') + 1);
    const body = JSON.stringify(input);
    const { maxAttempts } = this.settings;
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= maxAttempts;
      try {
        const answer = await this.#try(fullTarget, body, attempt, signal);
        if (!isError(answer)) return parseAnswer(answer, this.#url.href);
        const retry = isWorthRetrying(answer);
        if (!retry || isLast) {
          throw serviceError(answer, operation, retry ? attempt - 1 : undefined);
        }
      } catch (error) {
        if (!isTransient(error) || isLast) throw this.#withHint(error);
        this.log?.(`${String(error)}`);
      }
      this.log?.(`Try ${attempt} of ${maxAttempts} failed; trying again`);
      await backOff(attempt, signal);
    }
  }

  async #try(
    target: string,
    body: string,
    attempt: number,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const { settings, log } = this;
    const unsigned = {
      'content-type': `application/x-amz-json-${SERVICE.jsonVersion}`,
      host: this.#url.host,
      'x-amz-target': target,
    };
    const signed = settings.signRequest ? await this.#sign(target, unsigned, body) : unsigned;
    const headers = {
      ...signed,
      'amz-sdk-request': `attempt=${attempt}; max=${settings.maxAttempts}`,
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': `burnish Node/${process.version.slice(1)}`,
    };
    log?.(`POST ${this.#url.href} ${printableHeaders(headers)}`);
    log?.(`Request body: ${body}`);
    const answer = await exchange({
      url: this.#url,
      headers,
      body,
      connection: this.connection,
      timeouts: { connect: settings.connectTimeout, read: settings.readTimeout },
      signal,
    });
    log?.(`Status ${answer.status} ${printableHeaders(answer.headers)}`);
    log?.(`Response body: ${answer.body}`);
    return answer;
  }

  async #sign(target: string, headers: Readonly<Record<string, string>>, body: string) {
    const credentials = await this.settings.credentials();
    this.log?.(`Signing with access key ${credentials.accessKeyId}`);
    const { signRequest } = await import('./sign-request.js');
    const prefix = target.slice(0, target.indexOf('.'));
    return signRequest({ url: this.#url, headers, body }, credentials, {
      region: this.settings.region,
      service: SIGNING_NAMES[prefix] ?? SERVICE.signingName,
    });
  }

  /** Whoever calls the local service without having set it up is told how to. */
  #withHint(error: unknown): unknown {
    if (!this.settings.endpointIsDefault) return error;
    if (error instanceof ConnectionError && error.failure === 'unreachable') {
      const { url, cause } = error;
      return new ConnectionError('unreachable', url, NOBODY_SERVES, { cause });
    }
    if (error instanceof ServiceResponseError && error.code === 'UnrecognizedClientException') {
      const { code, reason, operation, httpStatus, retriesExhausted } = error;
      return new ServiceResponseError(
        code,
        reason,
        operation,
        httpStatus,
        retriesExhausted,
        UNKNOWN_KEY,
      );
    }
    return error;
  }
}
