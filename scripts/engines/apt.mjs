// Engines that suites run against come from Debian, where the machine has apt and we may use it.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Where Debian's packages ask whether they may start what they have installed. */
const POLICY = '/usr/sbin/policy-rc.d';
const FORBID = '#!/bin/sh\nexit 101\n';

/**
 * Installs Debian packages, and starts nothing of theirs.
 * @returns why that did not work, or undefined when it did
 */
export function installPackages(...packages) {
  if (process.getuid?.() !== 0) return `installing ${packages.join(', ')} takes root`;
  const hadPolicy = existsSync(POLICY);
  if (!hadPolicy) writeFileSync(POLICY, FORBID, { mode: 0o755 });
  try {
    return install(packages);
  } finally {
    if (!hadPolicy) rmSync(POLICY);
  }
}

/**
 * Installs what is missing of some programs.
 * @param packages program by program, the Debian package that has it
 * @throws an error that names a program which is not there and says why
 */
export function ensurePrograms(packages) {
  const missing = Object.keys(packages).filter((program) => !hasProgram(program));
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(', ')} …`);
  const failure = installPackages(...missing.map((program) => packages[program]));
  if (failure !== undefined) throw new Error(`there is no ${missing[0]}: ${failure}`);
}

function hasProgram(name) {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

function install(packages) {
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
