import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isLoopback } from '../configuration/resolve-endpoint.js';
import type { Settings } from '../configuration/settings.js';
import { ConnectionError } from './errors.js';

/** What keeps connections open between requests, and how they are made. */
export interface ConnectionAgent {
  readonly agent: HttpAgent;
  /** How the service's certificate is checked; behind a proxy only the request can say that. */
  readonly trust: TrustOptions;
  /** Set where a proxy stands in between. */
  readonly proxyUrl?: string;
}

/**
 * Makes connections as the settings say: which certificates to trust, and whether HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY lead through a proxy. This machine is never called through one.
 *
 * @throws ConnectionError where the certificate bundle can't be read.
 */
export async function connectionAgent(
  settings: Pick<Settings, 'endpointUrl' | 'verifySsl' | 'caBundle'>,
): Promise<ConnectionAgent> {
  const { endpointUrl } = settings;
  const isTls = endpointUrl.toLowerCase().startsWith('https:');
  const trust = isTls ? trustOptions(settings) : {};
  const proxyUrl = isLoopback(endpointUrl) ? '' : await proxyFor(endpointUrl);
  if (proxyUrl !== '') {
    if (isTls) {
      const { HttpsProxyAgent } = await import('https-proxy-agent');
      return { agent: new HttpsProxyAgent(proxyUrl, { keepAlive: true }), trust, proxyUrl };
    }
    const { HttpProxyAgent } = await import('http-proxy-agent');
    return { agent: new HttpProxyAgent(proxyUrl, { keepAlive: true }), trust, proxyUrl };
  }
  const agent = isTls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  return { agent, trust };
}

export interface TrustOptions {
  readonly rejectUnauthorized?: boolean;
  readonly ca?: Buffer;
}

function trustOptions(
  settings: Pick<Settings, 'endpointUrl' | 'verifySsl' | 'caBundle'>,
): TrustOptions {
  if (!settings.verifySsl) return { rejectUnauthorized: false };
  if (settings.caBundle === undefined) return { rejectUnauthorized: true };
  try {
    return { rejectUnauthorized: true, ca: readFileSync(settings.caBundle) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConnectionError(
      'tls',
      settings.endpointUrl,
      `The CA bundle ${settings.caBundle} can't be read: ${reason}`,
      { cause: error },
    );
  }
}

async function proxyFor(url: string): Promise<string> {
  const { getProxyForUrl } = await import('proxy-from-env');
  return getProxyForUrl(url);
}
