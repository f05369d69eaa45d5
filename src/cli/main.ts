#!/usr/bin/env node
/** The `burnish` program. Everything is loaded when it is needed, so that it starts at once. */

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit status. */
async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  try {
    if (first === '--version') return await printVersion();
    if (first === 'serve') {
      const { serve } = await import('./commands/serve.js');
      return await serve(rest);
    }
    if (first === 'kms') {
      const { kms } = await import('./commands/kms.js');
      return await kms(rest);
    }
    if (first === 'iam') {
      const { iam } = await import('./commands/iam.js');
      return await iam(rest);
    }
    if (argv.includes('--help')) {
      const { showHelpFor } = await import('./commands/run-command.js');
      await showHelpFor(argv);
      return 0;
    }
    if (first === '__complete') {
      const { runComplete } = await import('./completion/complete.js');
      await runComplete(rest);
      return 0;
    }
    const { runPrompted } = await import('./commands/run-prompted.js');
    await runPrompted(argv);
    return 0;
  } catch (error) {
    if (error instanceof Error && error.name === 'VersionRequested') return await printVersion();
    const { printError } = await import('./output/print-error.js');
    return printError(error);
  }
}

async function printVersion(): Promise<number> {
  const { versionText } = await import('./commands/version.js');
  process.stdout.write(`${versionText()}\n`);
  return 0;
}
