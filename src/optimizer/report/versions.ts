import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, platform, release } from 'node:os';
import type { VersionsReport } from './step-report.js';

/** The program's own version, from its package. */
export function burnishVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}

/** What this process runs on. */
export function describeVersions(): VersionsReport {
  return {
    burnish: burnishVersion(),
    node: process.version,
    platform: `${platform()} ${release()} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
  };
}
