// Engines that suites run against come from Debian, where the machine has apt and we may use it.
import { spawnSync } from 'node:child_process';

/**
 * Installs Debian packages.
 * @returns why that did not work, or undefined when it did
 */
export function installPackages(...packages) {
  if (process.getuid?.() !== 0) return `installing ${packages.join(', ')} takes root`;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const result = spawnSync('apt-get', args, { env, encoding: 'utf8' });
    if (result.error !== undefined) return 'there is no apt-get to install it with';
    if (result.status !== 0) {
      return `apt-get ${args[0]} failed: ${result.stderr.trim().split('\n').slice(-3).join(' ')}`;
    }
  }
  return undefined;
}
