/**
 * `burnish kms`: manages the keys that objects are encrypted under, in the service's record. The
 * server's part is loaded only now.
 * @returns the exit status
 */
export async function kms(argv: readonly string[]): Promise<number> {
  const { runKms } = await import('../../server/administration/run-kms.js');
  return runKms(argv, process.stdout, process.stderr);
}
