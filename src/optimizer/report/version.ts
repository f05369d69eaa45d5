import { readFileSync } from 'node:fs';

/** The program's own version, from its package. */
export function burnishVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
