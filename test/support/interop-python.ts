/** The Python that `npm run test:interop` prepared; undefined, with a line that says so, without it. */
export const INTEROP_PYTHON: string | undefined = process.env.BURNISH_INTEROP_PYTHON;

if (INTEROP_PYTHON === undefined) {
  console.warn('SKIPPED: this suite needs Python; run it with `npm run test:interop`.');
}
