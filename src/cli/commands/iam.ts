/**
 * `burnish iam`: manages users, access keys, roles and policies in the service's record. The server's
 * part is loaded only now.
 * @returns the exit status
 */
export async function iam(argv: readonly string[]): Promise<number> {
  const { runIam } = await import('../../server/administration/run-iam.js');
  return runIam(argv, process.stdout, process.stderr);
}
