/** `burnish completion bash|zsh`: the script that the shell sources. */
export function completionScript(_shell: string): string {
  throw new Error('being written');
}

/** `burnish __complete …`, which those scripts call: prints the candidates, one a line. */
export async function runComplete(_words: readonly string[]): Promise<void> {
  throw new Error('being written');
}
