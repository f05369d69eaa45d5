/**
 * Prints the manual of the program, or of one command, through the pager on a terminal.
 *
 * @param command the command's name as typed, for example `create-optimization-job`.
 */
export async function showHelp(_command?: string): Promise<void> {
  throw new Error('being written');
}
