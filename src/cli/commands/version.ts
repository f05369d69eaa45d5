import { readFileSync } from 'node:fs';
import { machine, release, type } from 'node:os';

/** What `--version` prints, in the manner of the AWS CLI. */
export function versionText(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  );
  const node = process.version.slice(1);
  return `burnish/${manifest.version} Node/${node} ${type()}/${release()} ${machine()}`;
}
