import { completionScript } from '../completion/complete.js';
import type { CommandContext } from './command-context.js';
import { printDirectly } from './direct-output.js';

/** `burnish completion bash|zsh` */
export async function completionCommand({ given }: CommandContext): Promise<void> {
  await printDirectly(completionScript(String(given.get('shell'))));
}
