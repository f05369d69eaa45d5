import { completionScript } from '../completion/complete.js';
import type { CommandContext } from './command-context.js';

/** `burnish completion bash|zsh` */
export async function completionCommand({ given }: CommandContext): Promise<void> {
  process.stdout.write(completionScript(String(given.get('shell'))));
}
