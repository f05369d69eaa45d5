import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/**
 * What tells one machine's processes from another's: the boot of the kernel, and the process namespace
 * in it, since containers of one machine do not see each other's processes. The machine's name where
 * there is no /proc.
 */
export async function hostIdentity(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
