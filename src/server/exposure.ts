import { readFile } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import type { Logger } from '../telemetry/logger.js';
import type { ServiceConfiguration, TlsFiles } from './configuration.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only programs on this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** Says what others on the network could do, where the service listens wider than this machine. */
export function warnOfExposure(
  { host, tls, allowUnsigned }: Pick<ServiceConfiguration, 'host' | 'tls' | 'allowUnsigned'>,
  logger: Pick<Logger, 'warn'>,
): void {
  if (isLoopback(host)) return;
  if (tls === undefined) {
    logger.warn(
      { host },
      'the service listens beyond this machine without TLS: whoever sees the traffic sees models and can repeat requests; start it with --tls-cert and --tls-key, or behind a proxy that has TLS',
    );
  }
  if (allowUnsigned) {
    logger.warn(
      { host },
      'the service listens beyond this machine and takes unsigned requests: anyone who reaches it is its administrator',
    );
  }
}

/** @throws an error that names the option whose file can't be read */
export async function readTls(
  files: TlsFiles | undefined,
): Promise<{ readonly cert: string; readonly key: string } | undefined> {
  if (files === undefined) return undefined;
  return {
    cert: await readPem('--tls-cert', files.certFile),
    key: await readPem('--tls-key', files.keyFile),
  };
}

async function readPem(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${option}: ${(error as Error).message}`);
  }
}
