import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('./greeting-server.mjs', import.meta.url));

/** A network namespace that stands in for another machine on a network of this one's. */
export interface OtherMachine {
  /** Where it says `hello` on each. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts one, which takes root. Devices are gone with the namespace.
 *
 * @param own this machine's address on that network, with its prefix
 * @param others the addresses of the other
 */
export async function startOtherMachine(
  own: string,
  others: readonly string[],
): Promise<OtherMachine> {
  const child = spawn('unshare', ['--net', process.execPath, SERVER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout, 'data');
  const device = `burnish${child.pid}`;
  const inside = ['--net', '--target', String(child.pid), 'ip'];
  run('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pidOf(child));
  run('ip', 'address', 'add', own, 'dev', device);
  run('ip', 'link', 'set', device, 'up');
  const prefix = own.split('/')[1];
  for (const address of others) {
    run('nsenter', ...inside, 'address', 'add', `${address}/${prefix}`, 'dev', 'eth0');
  }
  run('nsenter', ...inside, 'link', 'set', 'eth0', 'up');
  return {
    port: Number(String(port)),
    async close() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const pidOf = (child: ChildProcess): string => String(child.pid);

function run(program: string, ...parameters: readonly string[]): void {
  execFileSync(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
}
