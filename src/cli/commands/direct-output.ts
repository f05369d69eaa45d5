import { type Output, withOutput } from '../terminal/open-output.js';

/** Lends out standard output for what goes through no pager. */
export const withDirectOutput = (use: (output: Output) => Promise<void>): Promise<void> =>
  withOutput({ command: undefined, isDefault: true }, use);

export const printDirectly = (text: string): Promise<void> =>
  withDirectOutput(async (output) => {
    await output.write(text);
  });
