import { Agent, request as send } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** A client that says what it is told to, where Node lets it, over connections that stay open. */
export class PlainClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(private readonly url: string) {}

  /** @returns undefined where Node itself refuses to send such a request, or was cut off in a body */
  async send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<Answer | undefined> {
    try {
      return await this.#exchange(method, path, headers, body);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      const unsendable = ['ERR_INVALID_CHAR', 'ERR_UNESCAPED_CHARACTERS', 'ERR_INVALID_HTTP_TOKEN'];
      // A body that is refused half-way: the answer may be lost with the connection.
      if (unsendable.includes(code) || code === 'ECONNRESET' || code === 'EPIPE') return undefined;
      throw error;
    }
  }

  #exchange(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = send(
        this.url,
        {
          method,
          path,
          headers: { 'content-length': body.length, ...headers },
          agent: this.#agent,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks),
            }),
          );
        },
      );
      request.once('error', reject);
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
